"""Sinks: where pictures go, by the names a performer types."""

import sys
from pathlib import Path
from typing import Protocol

from ..engine.core.frame import Frame
from .faults import SinkClosed, SinkFailed, SinkMistake, SinkUnavailable, nearest
from .folder_sink import FolderSink
from .gif_sink import GifSink
from .movie_sink import MovieSink
from .null_sink import NullSink
from .window import WindowSink

__all__ = ["NAMES", "Sink", "SinkClosed", "SinkFailed", "SinkMistake", "SinkUnavailable", "open_sink"]


class Sink(Protocol):
    """Takes frames. Every call comes from the same thread.

    A sink may also have `pump()`, called several times a second while no frame comes.
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


NAMES = ("window", "null", "spout", "syphon", "ndi", "virtual-camera")
_MOVIES = (".mp4", ".mkv", ".gif")
_OTHER_FILES = (".mov", ".avi", ".webm", ".m4v", ".png", ".jpg", ".jpeg", ".webp")
_PLATFORM = {"spout": ("Spout", "win32", "Windows"), "syphon": ("Syphon", "darwin", "macOS")}
_UNBUILT = {"ndi": "NDI output", "virtual-camera": "A virtual camera"}
_INSTEAD = "Use window, a file such as show.mp4, or a folder such as frames/."


def open_sink(spec: str, size: tuple[int, int], fps: float) -> Sink:
    """The sink that `spec` names, not opened yet.

    `size` is (width, height) of what it stores, `fps` the show's rate. Raises SinkMistake for a name or kind
    of file that does not exist, SinkUnavailable for what this machine or version cannot give; both in words.
    """
    word = spec.partition(":")[0]
    if spec == "null":
        return NullSink()
    if spec == "window":
        return WindowSink(size)
    if "://" in spec:
        raise SinkUnavailable(f"Sending to a network stream is not built yet: {spec}. {_INSTEAD}")
    if word in _PLATFORM:
        label, platform, where = _PLATFORM[word]
        missing = "is not built yet" if sys.platform == platform else f"exists only on {where}"
        raise SinkUnavailable(f"{label} output {missing}. {_INSTEAD}")
    if word in _UNBUILT:
        raise SinkUnavailable(f"{_UNBUILT[word]} is not built yet. {_INSTEAD}")
    return _file_sink(spec, size, fps)


def _file_sink(spec: str, size: tuple[int, int], fps: float) -> Sink:
    path = Path(spec).expanduser()
    kind = path.suffix.lower()
    if spec.endswith(("/", "\\")) or path.is_dir():
        if path.exists() and not path.is_dir():
            raise SinkMistake(f"{spec} is a file, not a folder")
        return FolderSink(path, size)
    if kind == ".gif":
        return GifSink(path, size)
    if kind in _MOVIES:
        return MovieSink(path, size, fps)
    if kind in _OTHER_FILES:
        raise SinkMistake(f"{kind} files are not written here: {_INSTEAD}")
    known = [*NAMES, *(path.stem + ending for ending in _MOVIES if kind)]
    hint = nearest(spec, known) or f"; sinks are {', '.join(NAMES)}, FILE.mp4, .mkv or .gif, and FOLDER/"
    folder = "" if kind or ":" in spec else f" A folder is written {spec}/ with a slash."
    raise SinkMistake(f"there is no sink {spec!r}{hint}{folder}")
