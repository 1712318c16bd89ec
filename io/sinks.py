"""Sinks: where pictures go, by the names a performer types."""

import sys
from pathlib import Path
from typing import Protocol, cast

from ..engine.core.frame import Frame
from ..engine.core.kinds import FILMS, SINK_SCHEMES, SINKS
from ..engine.core.sections import nearest
from ..engine.core.shape import PLAIN_SINK, Shape, SinkOptions
from . import ffmpeg_pipe, ndi, spout, syphon, virtual_camera
from .faults import INSTEAD_OF_SINK, SinkClosed, SinkFailed, SinkMistake, SinkUnavailable
from .folder_sink import FolderSink
from .gif_sink import GifSink
from .movie_sink import MovieSink
from .ndi_sink import NdiSink
from .null_sink import NullSink
from .shaped import ShapedSink
from .spout import SpoutSink
from .stream_sink import StreamSink
from .syphon import SyphonSink
from .virtual_camera import VirtualCameraSink
from .window import WindowSink
from .window_apart import WindowApart

__all__ = ["Sink", "SinkClosed", "SinkFailed", "SinkMistake", "SinkUnavailable", "open_sink"]


class Sink(Protocol):
    """Takes frames. Every call comes from the same thread.

    A sink may also have `pump()`, called several times a second while no frame comes, and what SinkThread says.
    """

    name: str

    def open(self) -> None:
        """Get hold of the file, window or device. Raises SinkFailed or SinkUnavailable.

        Opened again after a failure, a file sink goes on in a new file and leaves its earlier part alone.
        """
        ...

    def write(self, frame: Frame) -> None:
        """Show or store a frame. Raises SinkFailed, or SinkClosed when the performer closed it."""
        ...

    def close(self) -> None:
        """Finish: a file is playable afterwards. Closing twice is fine."""
        ...


_OTHER_FILES = (".mov", ".avi", ".webm", ".m4v", ".png", ".jpg", ".jpeg", ".webp")


def open_sink(
    spec: str, size: tuple[int, int], fps: float, options: SinkOptions = PLAIN_SINK, again: bool = False
) -> Sink:
    """The sink that `spec` names, not opened yet.

    `size` is (width, height) of the show's frames, `fps` its rate; `options` may ask for others here. `again`:
    the pictures can be made again, so a folder of them keeps none of an earlier film. Raises SinkMistake for a name or
    kind of file that does not exist, SinkUnavailable for what this machine cannot give; both in words.
    """
    rate = min(fps, options.fps) if options.fps else fps
    sink = _plain_sink(spec, options.size or size, rate, options, again)
    # The window fits the picture into itself, whatever sizes both have.
    reshaped = options.size is not None and spec != "window"
    if not reshaped and options.shape == Shape() and rate == fps:
        return sink
    shaped = ShapedSink(sink, size if spec == "window" else options.size or size, options.shape, options.fps)
    return cast(Sink, shaped)


def _plain_sink(spec: str, size: tuple[int, int], fps: float, options: SinkOptions, again: bool) -> Sink:
    word, _, name = spec.partition(":")
    if spec == "null":
        return NullSink()
    if spec == "window":
        return (WindowApart if sys.platform == "darwin" else WindowSink)(size, options=options)
    if "://" in spec:
        return _to_url(spec, size, fps, options)
    if word == "ndi":
        return _checked(ndi.fault(), NdiSink(name, size, fps))
    if word == "spout":
        return _checked(spout.fault(), SpoutSink(name, size), "output ")
    if word == "syphon":
        return _checked(syphon.fault(), SyphonSink(name, size), "output ")
    if word == "virtual-camera":
        return _checked(virtual_camera.fault(), VirtualCameraSink(size, fps, name))
    return _file_sink(spec, size, fps, options, again)


def _checked(fault: str | None, sink: Sink, what: str = "") -> Sink:
    if fault:
        raise SinkUnavailable(f"{fault.replace(' exists', f' {what}exists')}. {INSTEAD_OF_SINK}")
    return sink


def _to_url(url: str, size: tuple[int, int], fps: float, options: SinkOptions) -> Sink:
    scheme = url.partition(":")[0].lower()
    if scheme not in SINK_SCHEMES:
        known = ", ".join(SINK_SCHEMES)
        raise SinkMistake(f"{scheme}:// is not sent to{nearest(scheme, SINK_SCHEMES)} ({known})")
    if scheme == "srt" and (why := ffmpeg_pipe.fault()):
        raise SinkUnavailable(f"{why}. {INSTEAD_OF_SINK}")
    return StreamSink(url, size, fps, options.bitrate, options.encoder)


def _file_sink(spec: str, size: tuple[int, int], fps: float, options: SinkOptions, again: bool) -> Sink:
    path = Path(spec).expanduser()
    kind = path.suffix.lower()
    if spec.endswith(("/", "\\")) or path.is_dir():
        if path.exists() and not path.is_dir():
            raise SinkMistake(f"{spec} is a file, not a folder")
        return FolderSink(path, size, again)
    if kind == ".gif":
        return GifSink(path, size)
    if kind in FILMS:
        return MovieSink(path, size, fps, options.encoder)
    if kind in _OTHER_FILES:
        raise SinkMistake(f"{kind} files are not written here: {INSTEAD_OF_SINK}")
    known = [*SINKS, *(path.stem + ending for ending in FILMS if kind)]
    hint = nearest(spec, known) or f"; sinks are {', '.join(SINKS)}, FILE.mp4, .mkv or .gif, and FOLDER/"
    folder = "" if kind or ":" in spec else f" A folder is written {spec}/ with a slash."
    raise SinkMistake(f"there is no sink {spec!r}{hint}{folder}")
