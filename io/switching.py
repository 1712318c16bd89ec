"""What a switch of source or output asks to be opened, and what can be known of it before it is tried."""

import re
import sys
from pathlib import Path
from typing import Any

from ..engine.core.assets import on_another_machine
from ..engine.core.clock import ManualClock
from ..engine.core.kinds import NAMED_SINKS, NAMED_SOURCES, SINKS
from ..engine.core.switches import FILE, STREAM, SinkSwitch, SourceSwitch
from . import screen, window
from .cameras import linux_cameras
from .faults import INSTEAD_OF_SOURCE, SinkMistake, SinkUnavailable, SourceMistake, SourceUnavailable
from .image_source import PICTURES
from .sinks import open_sink
from .sources import open_source

_ANY_SIZE, _ANY_RATE = (64, 64), 30.0


def source_spec(switch: SourceSwitch, assets: Path) -> str:
    """The source that is asked for, as it is opened. Raises SourceMistake."""
    if switch.kind == FILE:
        return str(in_assets(switch.name, assets))
    if switch.kind == STREAM:
        return _url(switch.name)
    # Only these take a name: behind any other, it would be read as a file.
    return f"{switch.kind}:{switch.name}" if switch.name and switch.kind in NAMED_SOURCES else switch.kind


def sink_spec(switch: SinkSwitch, assets: Path) -> str:
    """The output that is meant, as it is opened; "" for all of its kind. Raises SourceMistake."""
    if switch.kind == FILE:
        if not switch.enabled and not switch.name:
            return ""
        return f"{in_assets(switch.name, assets)}{'/' if _is_folder(switch.name) else ''}"
    if switch.kind == STREAM:
        return _url(switch.name) if switch.name or switch.enabled else ""
    return f"{switch.kind}:{switch.name}" if switch.name and switch.kind in NAMED_SINKS else switch.kind


def sink_wish(spec: str, assets: Path) -> dict[str, Any]:
    """What a message asks for to have the output `spec`: the other way round."""
    kind = kind_of(spec)
    if kind == STREAM:
        return {"enabled": True, "name": spec}
    if kind == FILE:
        folder, path = assets.expanduser().resolve(), Path(spec).expanduser().resolve()
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        return {"enabled": True, "name": f"{name}/" if _is_folder(spec) else name}
    _, _, name = spec.partition(":")
    return {"enabled": True, "name": name} if name else {"enabled": True}


def kind_of(spec: str) -> str:
    """The kind of an output, by its name."""
    if "://" in spec:
        return STREAM
    word = spec.partition(":")[0]
    return word if word in SINKS else FILE


def _is_folder(name: str) -> bool:
    """Is an output written as a folder, as either kind of system writes one?"""
    return name.endswith(("/", "\\"))


def in_assets(name: str, assets: Path) -> Path:
    """A file's path from a name that came over the network: inside the assets folder, or refused."""
    folder = assets.expanduser().resolve()
    if name and not on_another_machine(folder, name) and (path := (folder / name).resolve()).is_relative_to(folder):
        return path
    raise SourceMistake(f"{name!r} is not in the assets folder ({folder.name}/);")


def source_fault(switch: SourceSwitch, assets: Path) -> str | None:
    """Why this source cannot be had here, in words; None where that is to be tried. Nothing is opened; of files a
    picture alone is looked at."""
    if not switch.enabled:
        return None
    if switch.kind == "screen" and (why := screen.fault()):
        return f"The screen cannot be captured: {why}. {INSTEAD_OF_SOURCE}"
    try:
        spec = source_spec(switch, assets)
        if switch.kind == FILE:
            return _picture_fault(Path(spec))
        open_source(spec, _ANY_SIZE, _ANY_RATE, ManualClock())
    except (SourceMistake, SourceUnavailable) as e:
        return str(e)
    return None


def sink_fault(switch: SinkSwitch, assets: Path) -> str | None:
    """The same of an output."""
    if not switch.enabled:
        return None
    if switch.kind == "window" and (why := window.fault()):
        return f"{why}; record to a file instead"
    try:
        open_sink(sink_spec(switch, assets), _ANY_SIZE, _ANY_RATE)
    except (SourceMistake, SinkMistake, SinkUnavailable) as e:
        return str(e)
    return None


def remark(switch: SourceSwitch) -> str | None:
    """What is to be said of a source that is taken and may not play yet."""
    # Elsewhere the system's own tools would be asked, which takes seconds.
    if not switch.enabled or switch.kind != "camera" or not sys.platform.startswith("linux"):
        return None
    wanted = switch.name.lower() or "0"
    there = any(wanted == str(n) if wanted.isdigit() else wanted in name.lower() for n, name in linux_cameras())
    return None if there else f"there is no camera {switch.name or 0} now; it plays when it is plugged in"


def _picture_fault(path: Path) -> str | None:
    from PIL import Image

    if path.suffix.lower() not in PICTURES or not path.is_file():
        return None
    try:
        with Image.open(path):
            return None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return f"{path.name} is not a picture this can read"


def _url(name: str) -> str:
    """`name`, where it is an address and no file. Raises SourceMistake."""
    if not re.match(r"[a-z]+://.", name):
        raise SourceMistake(f"a stream is named by its address, as in rtsp://host/path, not {name!r};")
    return name
