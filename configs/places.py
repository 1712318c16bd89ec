"""Where pictures come from and go to, as a show file or a flag names them, checked before anything is opened."""

import re
from pathlib import Path
from typing import Any

from ..engine.core.documents import Page
from ..engine.core.kinds import FILMS, NAMED_SINKS, NAMED_SOURCES, SINK_SCHEMES, SINKS, SOURCE_SCHEMES, SOURCES
from ..engine.core.nearest import closest_file
from ..engine.core.sections import nearest

SMALLEST, LARGEST = 64, 4096


def check_source(page: Page, line: int, key: str, name: str, beside: Path) -> str:
    """`name` as it is opened (a file as an absolute path, looked for in the folder `beside`); notes mistakes."""
    kind, colon, detail = name.partition(":")
    if kind in SOURCES and (not colon or kind in NAMED_SOURCES):
        _check_detail(page, line, key, kind, detail if colon else None)
        return name
    if kind in SOURCES:
        page.say(line, key, f"{kind} takes nothing after it")
        return name
    if "://" in name:
        _check_scheme(page, line, key, kind, SOURCE_SCHEMES)
        return name
    path = beside / Path(name).expanduser()
    if path.exists():
        return str(path.resolve())
    near = nearest(kind, SOURCES) or _near_file(path)
    page.say(line, key, f"{name}: no such file or source{near or '; sources are ' + ', '.join(SOURCES)}")
    return name


def _near_file(path: Path) -> str:
    """`; did you mean x?` for the file beside a missing one that was meant, or nothing."""
    try:
        near = closest_file(path.name, sorted(p.name for p in path.parent.iterdir()))
    except OSError:
        return ""
    return f"; did you mean {near}?" if near else ""


def check_sink(page: Page, line: int, key: str, name: str) -> str:
    """`name` as it is opened; notes mistakes."""
    kind, colon, detail = name.partition(":")
    if kind in SINKS and (not colon or kind in NAMED_SINKS):
        if colon and not detail:
            page.say(line, key, f"{name} lacks the name after the colon")
        return name
    if kind in SINKS:
        page.say(line, key, f"{kind} takes nothing after it")
        return name
    if "://" in name:
        _check_scheme(page, line, key, kind, SINK_SCHEMES)
        return name
    path = Path(name).expanduser()
    if not (path.suffix.lower() in FILMS or name.endswith(("/", "\\")) or path.is_dir()):
        endings = f"; a file ends in {', '.join(FILMS)}, a folder of pictures in /"
        hint = endings + nearest(path.suffix, FILMS) if path.suffix else nearest(kind, SINKS) or endings
        page.say(line, key, f"{name}: no such sink{hint}")
    return name


def parse_size(page: Page, line: int, key: str, value: Any, default: tuple[int, int], even: int = 8) -> tuple[int, int]:
    """(width, height) from [w, h] or "WxH"; both multiples of `even`, 64 to 4096 pixels. Notes mistakes."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*[x×,]\s*(\d{1,6})\s*", value) if isinstance(value, str) else None
    sides = [int(n) for n in found.groups()] if found else value
    if (
        not isinstance(sides, (list, tuple))
        or len(sides) != 2
        or not all(isinstance(n, int) and not isinstance(n, bool) for n in sides)
    ):
        page.say(line, key, f"takes a width and a height in pixels, as in [512, 512] or 512x512, not {value!r}")
        return default
    wrong = [words for n in dict.fromkeys(sides) if (words := _wrong_side(n, even))]
    for words in wrong:
        page.say(line, key, words)
    return default if wrong else (sides[0], sides[1])


def _wrong_side(n: int, even: int) -> str | None:
    """What is wrong with a width or a height of `n` pixels, if anything."""
    if not SMALLEST <= n <= LARGEST:
        return f"{n} is outside {SMALLEST}..{LARGEST} pixels"
    return f"{n} is no multiple of {even}; the nearest is {round(n / even) * even}" if n % even else None


def _check_detail(page: Page, line: int, key: str, kind: str, detail: str | None) -> None:
    if detail is None:
        return
    if not detail:
        page.say(line, key, f"{kind}: lacks what comes after the colon")
    elif kind == "camera" and not re.search(r"^\d+$|[^\W\d_]", detail):
        page.say(line, key, f"camera takes a number or a name, not {detail!r}")
    elif kind == "screen" and not re.fullmatch(r"-?\d+,-?\d+,\d+,\d+", detail):
        page.say(line, key, f"screen takes X,Y,W,H in pixels, not {detail!r}")


def _check_scheme(page: Page, line: int, key: str, scheme: str, known: tuple[str, ...]) -> None:
    if scheme not in known:
        page.say(line, key, f"{scheme}:// is not spoken here{nearest(scheme, known)} (known: {', '.join(known)})")
