"""Sources: where pictures come from, by the names a performer types."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.notices import Notices
from .camera import CameraSource
from .demo import DemoSource
from .faults import SourceFailed, SourceMistake, SourceUnavailable, nearest
from .image_source import PICTURES, ImageSource, pictures_in
from .media_source import MediaSource
from .none_source import NoneSource
from .push_source import PushSource
from .test_pattern import TestPatternSource

__all__ = ["NAMES", "Source", "SourceFailed", "SourceMistake", "SourceUnavailable", "length_of", "open_source"]


class Source(Protocol):
    """A stream of frames at one size. Every call comes from the same thread.

    `name`: as a performer would say it. `fps`: its own rate; None where `read` blocks until the device
    delivers. `live`: it cannot be rewound. A source that has an end also has `length() -> int | None`.
    """

    name: str
    fps: float | None
    live: bool

    def open(self) -> None:
        """Get hold of the file or device. Raises SourceFailed or SourceUnavailable."""
        ...

    def read(self) -> Frame:
        """The next frame; files loop for ever. `n` goes on counting over loops. Raises SourceFailed."""
        ...

    def seek(self, n: int) -> None:
        """Not live: the next `read` gives frame `n` (modulo the length). Raises SourceFailed."""
        ...

    def close(self) -> None:
        """Let go of it. Closing twice is fine, and so is opening again."""
        ...


def length_of(source: Source) -> int | None:
    """Frames until an opened source begins again; None for one that has no end. Raises SourceFailed."""
    length = getattr(source, "length", None)
    return None if length is None else length()


NAMES = ("demo", "test-pattern", "camera", "screen", "spout", "syphon", "ndi", "webrtc", "none")

_PLATFORM = {"spout": ("Spout", "win32", "Windows"), "syphon": ("Syphon", "darwin", "macOS")}
_UNBUILT = {
    "screen": "Screen capture",
    "ndi": "NDI input",
}


def open_source(spec: str, size: tuple[int, int], fps: float, clock: Clock, notices: Notices | None = None) -> Source:
    """The source that `spec` names, not opened yet.

    `size` is (width, height) of its frames, `fps` the show's rate, used by sources that have none of their
    own. Raises SourceMistake for a name or file that does not exist, SourceUnavailable for one that this
    machine or version cannot give; both in words.
    """
    notices = notices or Notices(clock)
    word, _, rest = spec.partition(":")
    simple: dict[str, Callable[[], Source]] = {
        "demo": lambda: DemoSource(size, fps),
        "test-pattern": lambda: TestPatternSource(size, fps),
        "none": lambda: NoneSource(size, fps),
        "webrtc": lambda: PushSource(size, clock),
    }
    if spec in simple:
        return simple[spec]()
    if "://" in spec:
        raise SourceUnavailable(f"Network streams are not built yet: {spec}. {_INSTEAD}")
    if word == "camera":
        return CameraSource(_camera_index(rest), size, fps, clock)
    if word in _PLATFORM or spec in _UNBUILT or word in ("screen", "ndi"):
        raise SourceUnavailable(_why_not(word))
    return _from_path(spec, size, fps, notices)


_INSTEAD = "Use a video file, a folder of pictures, camera, or demo."


def _why_not(word: str) -> str:
    if word in _PLATFORM:
        label, platform, where = _PLATFORM[word]
        if sys.platform != platform:
            return f"{label} exists only on {where}. {_INSTEAD}"
        return f"{label} input is not built yet. {_INSTEAD}"
    return f"{_UNBUILT[word]} is not built yet. {_INSTEAD}"


def _camera_index(text: str) -> int:
    if text == "":
        return 0
    if not text.isascii() or not text.isdigit():
        raise SourceMistake(f"camera takes a number, as in camera:0, not {text!r}; clavilux ports lists them")
    return int(text)


def _from_path(spec: str, size: tuple[int, int], fps: float, notices: Notices) -> Source:
    path = Path(spec).expanduser()
    if not path.exists():
        raise SourceMistake(f"there is no source or file {spec!r}{_similar(spec, path)}")
    if path.is_dir():
        if not pictures_in(path):
            raise SourceMistake(f"there are no pictures in the folder {spec} ({', '.join(PICTURES)})")
        return ImageSource(path, size, fps, notices)
    if not os.access(path, os.R_OK):
        raise SourceMistake(f"{spec} may not be read: its permissions keep this user out")
    if path.suffix.lower() in PICTURES:
        return ImageSource(path, size, fps, notices)
    return MediaSource(path, size, notices)


def _similar(spec: str, path: Path) -> str:
    """What may have been meant: a source's name or a file beside the one that is missing."""
    hint = nearest(spec, list(NAMES))
    if hint:
        return hint
    try:
        beside = sorted(os.listdir(path.parent))
    except OSError:
        return f"; there is no folder {path.parent} either"
    hint = nearest(path.name, beside)
    return hint or f"; sources are {', '.join(NAMES)}, a video, a picture or a folder of pictures"
