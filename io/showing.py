"""The window as a program beside the show, for macOS: there a window is the main thread's, and that is the show's."""

import json
import struct
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..engine.core.effects import EffectMistake
from ..engine.core.enlarging import load_enlarging
from ..engine.core.frame import Frame, Mailbox
from ..engine.core.shape import SinkOptions
from .beside import READY, leave_signals_to_the_show
from .faults import SinkClosed, SinkFailed, SinkUnavailable

# Before every picture: its width and height.
HEAD = struct.Struct("<II")
# What it says when the performer has closed it.
CLOSED = "closed"
# So often a window that gets no picture answers its events, seconds.
_PUMP_EVERY = 0.02
_WINDOWS_OWN = ("size", "fullscreen", "monitor", "vsync", "cursor", "aspect", "enlarge")


class Window(Protocol):
    """What is shown on: see WindowSink."""

    def open(self) -> None: ...

    def write(self, frame: Frame) -> None: ...

    def pump(self) -> None: ...

    def close(self) -> None: ...


def asked_of(size: tuple[int, int], title: str, options: SinkOptions) -> dict[str, Any]:
    """What the program is started with."""
    said = asdict(options)
    return {"picture": size, "title": title, "options": {key: said[key] for key in _WINDOWS_OWN}}


def made(asked: Mapping[str, Any]) -> Window:
    """The window that `asked_of` asks for. A file that enlarges is run here once more, for here it is called."""
    from .window import WindowSink

    said = dict(asked["options"])
    said["size"] = tuple(said["size"]) if said["size"] else None
    if Path(said["enlarge"]).is_file():
        # It was there a moment ago; one that is not any more is left out.
        with suppress(EffectMistake):
            load_enlarging(Path(said["enlarge"]))
    width, height = asked["picture"]
    return WindowSink((width, height), asked["title"], SinkOptions(**said))


def show(window: Window, pictures: IO[bytes], say: IO[str]) -> int:
    """Show the newest of what comes in until it ends, or the window is closed; returns the exit status."""
    newest: Mailbox[Frame] = Mailbox()
    ended = threading.Event()
    try:
        window.open()
        print(READY, file=say, flush=True)
        threading.Thread(target=_read, args=(pictures, newest, ended), name="pictures", daemon=True).start()
        while not ended.is_set():
            frame = newest.wait(_PUMP_EVERY)
            if frame is None:
                window.pump()
            else:
                window.write(frame)
    except SinkClosed:
        print(CLOSED, file=say, flush=True)
    except (SinkFailed, SinkUnavailable) as e:
        print(e, file=say, flush=True)
        return 1
    finally:
        window.close()
    return 0


def _read(pictures: IO[bytes], newest: Mailbox[Frame], ended: threading.Event) -> None:
    """Take what comes as it comes: the show is not kept waiting by a screen."""
    n = 0
    while len(head := pictures.read(HEAD.size)) == HEAD.size:
        width, height = HEAD.unpack(head)
        raw = pictures.read(width * height * 3)
        if len(raw) < width * height * 3:
            break
        newest.put(Frame(np.frombuffer(raw, np.uint8).reshape(height, width, 3), n, 0.0))
        n += 1
    ended.set()


if __name__ == "__main__":
    leave_signals_to_the_show()
    sys.exit(show(made(json.loads(sys.argv[1])), sys.stdin.buffer, sys.stdout))
