"""NDI through cyndilib: who sends, and what to do where the package is missing."""

import threading
from typing import Any

# What this process sends itself: `ndi` without a name does not listen to its own picture.
own_names: set[str] = set()
_finder: Any = None
_lock = threading.Lock()


def fault() -> str | None:
    """Why there is no NDI here, in words, or None."""
    try:
        import cyndilib  # noqa: F401  # finding the package is the question
    except ImportError:
        return 'NDI needs the package cyndilib: python -m pip install "clavilux[ndi]"'
    except OSError as e:
        return f"NDI's library cannot be loaded here: {e}"
    return None


def finder() -> Any:
    """The one finder of this process, open from the first question on: senders take seconds to be heard of."""
    global _finder
    from cyndilib.finder import Finder

    with _lock:
        if _finder is None:
            _finder = Finder()
            _finder.open()
        return _finder


def names(wait: float = 0.0) -> list[str]:
    """`MACHINE (Name)` of every sender heard of, after listening for `wait` seconds."""
    found = finder()
    if wait > 0:
        found.wait_for_sources(wait)
    return list(found.get_source_names())


def choose(name: str, heard: list[str]) -> str | None:
    """The sender that `name` stands for: `MACHINE (Name)`, `Name`, or "" for any but our own; None when not heard."""
    streams = {full: full.partition(" (")[2].removesuffix(")") or full for full in heard}
    if not name:
        return next((full for full, stream in streams.items() if stream not in own_names), None)
    exact = (full for full, stream in streams.items() if name in (full, stream))
    alike = (full for full, stream in streams.items() if name.lower() in (full.lower(), stream.lower()))
    return next(exact, None) or next(alike, None)
