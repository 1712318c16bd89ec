"""Sources: where pictures come from, by the names a performer types."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.kinds import SOURCE_SCHEMES, SOURCES
from ..engine.core.nearest import closest_file
from ..engine.core.notices import Notices
from ..engine.core.sections import nearest
from ..engine.core.shape import PLAIN, Shape, SourceOptions
from . import ffmpeg_pipe, ndi, spout, syphon
from .camera import CameraSource
from .demo import DemoSource
from .faults import INSTEAD_OF_SOURCE, SourceFailed, SourceMistake, SourceUnavailable
from .image_source import PICTURES, ImageSource, pictures_in
from .media_source import MediaSource
from .ndi_source import NdiSource
from .network_source import NetworkSource
from .none_source import NoneSource
from .push_source import PushSource
from .screen import ScreenSource, parse_region
from .shaped import TurnedSource
from .spout import SpoutSource
from .syphon import SyphonSource
from .test_pattern import TestPatternSource

__all__ = ["Source", "SourceFailed", "SourceMistake", "SourceUnavailable", "length_of", "open_source"]


class Source(Protocol):
    """A stream of frames at one size. Every call comes from the same thread.

    `name`: as a performer would say it. `fps`: its own rate; None where `read` blocks until the device
    delivers. `live`: it cannot be rewound. A source that has an end also has `length() -> int | None`; one that
    waits may have `interrupt()` and `retry_within` (see SourceThread).
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


def open_source(
    spec: str,
    size: tuple[int, int],
    fps: float,
    clock: Clock,
    notices: Notices | None = None,
    options: SourceOptions = PLAIN,
) -> Source:
    """The source that `spec` names, not opened yet.

    `size` is (width, height) of its frames, `fps` the show's rate, used by sources that have none of their
    own. Raises SourceMistake for a name or file that does not exist, SourceUnavailable for one that this
    machine cannot give; both in words.
    """
    notices = notices or Notices(clock)
    made_up = _made_up(spec, size, options.fps or fps, clock, options.shape)
    if made_up is not None:
        return made_up
    if "://" in spec:
        return _from_url(spec, size, clock, options.shape)
    word, _, rest = spec.partition(":")
    shape = options.shape
    if word == "camera":
        wish = options.fps or fps
        return CameraSource(_camera(rest), size, wish, clock, None, shape, options.format, options.picture)
    if word == "screen":
        return ScreenSource(parse_region(rest), size, options.fps or fps, clock, shape)
    if word == "ndi":
        return _checked(ndi.fault(), NdiSource(rest, size, clock, shape))
    if word == "spout":
        return _checked(spout.fault(), SpoutSource(rest, size, clock, shape))
    if word == "syphon":
        return _checked(syphon.fault(), SyphonSource(rest, size, clock, shape))
    return _from_path(spec, size, fps, notices, options)


def _checked(fault: str | None, source: Source) -> Source:
    if fault:
        raise SourceUnavailable(f"{fault}. {INSTEAD_OF_SOURCE}")
    return source


def _made_up(spec: str, size: tuple[int, int], fps: float, clock: Clock, shape: Shape) -> Source | None:
    """A source that needs no file and no device, already at its size; None for another name."""
    # Turned by a quarter, it is drawn lying down.
    drawn = (size[1], size[0]) if shape.rotate % 180 else size
    makers: dict[str, Callable[[], Source]] = {
        "demo": lambda: DemoSource(drawn, fps),
        "test-pattern": lambda: TestPatternSource(drawn, fps),
        "none": lambda: NoneSource(drawn, fps),
        "webrtc": lambda: PushSource(size, clock, shape=shape),
    }
    if spec not in makers:
        return None
    source = makers[spec]()
    return cast(Source, TurnedSource(source, shape)) if shape.turned and spec != "webrtc" else source


def _from_url(url: str, size: tuple[int, int], clock: Clock, shape: Shape) -> Source:
    scheme = url.partition(":")[0].lower()
    if scheme not in SOURCE_SCHEMES:
        known = ", ".join(SOURCE_SCHEMES)
        raise SourceMistake(f"{scheme}:// is not spoken here{nearest(scheme, SOURCE_SCHEMES)} ({known})")
    if scheme == "srt" and (why := ffmpeg_pipe.fault()):
        raise SourceUnavailable(f"{why}. {INSTEAD_OF_SOURCE}")
    return NetworkSource(url, size, clock, shape)


def _camera(text: str) -> int | str:
    """A camera's number, or a part of its name; nothing is the first."""
    if text == "":
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    if any(c.isalpha() for c in text):
        return text
    raise SourceMistake(f"camera takes a number or a name, as in camera:0, not {text!r}; clavilux ports lists them")


def _from_path(spec: str, size: tuple[int, int], fps: float, notices: Notices, options: SourceOptions) -> Source:
    path = Path(spec).expanduser()
    if not path.exists():
        raise SourceMistake(f"there is no source or file {spec!r}{_similar(spec, path)}")
    if path.is_dir():
        if not pictures_in(path):
            raise SourceMistake(f"there are no pictures in the folder {spec} ({', '.join(PICTURES)})")
        return ImageSource(path, size, fps, notices, options)
    if not os.access(path, os.R_OK):
        raise SourceMistake(f"{spec} may not be read: its permissions keep this user out")
    if path.suffix.lower() in PICTURES:
        return ImageSource(path, size, fps, notices, options)
    return MediaSource(path, size, notices, options)


def _similar(spec: str, path: Path) -> str:
    """What may have been meant: a source's name or a file beside the one that is missing."""
    hint = nearest(spec, SOURCES)
    if hint:
        return hint
    try:
        beside = sorted(os.listdir(path.parent))
    except OSError:
        return f"; there is no folder {path.parent} either"
    near = closest_file(path.name, beside)
    if near:
        return f"; did you mean {near}?"
    return f"; sources are {', '.join(SOURCES)}, a video, a picture or a folder of pictures"
