"""What there is to see and to send to on this machine, kind by kind, and why a kind is missing."""

from collections.abc import Callable
from dataclasses import dataclass

from . import audio, ffmpeg_pipe, ndi, screen, spout, syphon, virtual_camera
from .cameras import camera_names

# Senders on the network take a moment to be heard of.
_LISTEN = 1.5


@dataclass(frozen=True, slots=True)
class Kind:
    """`names` as they are typed after --source, --sink or --audio; `why` there is none, in words."""

    label: str
    names: tuple[str, ...]
    why: str = ""


def kinds() -> list[Kind]:
    """Every kind of source, sink and sound that this machine may have or lack."""
    return [
        Kind("Cameras", tuple(camera_names()), "none is plugged in"),
        _asked("Screen", screen.fault, lambda: ["screen", "screen:X,Y,W,H"]),
        _asked("Spout", spout.fault, lambda: _named("spout", spout.names()), "nobody sends"),
        _asked("Syphon", syphon.fault, _syphon, "nobody sends"),
        _asked("NDI", ndi.fault, lambda: _named("ndi", ndi.names(_LISTEN)), "nobody sends"),
        _asked("SRT", ffmpeg_pipe.fault, lambda: ["srt://HOST:PORT"]),
        _asked("Virtual camera", virtual_camera.fault, lambda: ["virtual-camera"]),
        _sound(),
    ]


def _asked(label: str, fault: Callable[[], str | None], names: Callable[[], list[str]], none: str = "") -> Kind:
    why = fault()
    if why:
        return Kind(label, (), why)
    try:
        found = names()
    except Exception as e:
        # A vendor's library may fail in any way; the other kinds are still listed.
        return Kind(label, (), f"it cannot be asked: {type(e).__name__}: {e}")
    return Kind(label, tuple(found), none)


def _sound() -> Kind:
    """What --audio takes."""
    try:
        return Kind("Sound", tuple(audio.names()), "no input is plugged in")
    except audio.AudioUnavailable as e:
        return Kind("Sound", (), str(e))


def _named(word: str, names: list[str]) -> list[str]:
    return [f"{word}:{name}" for name in names]


def _syphon() -> list[str]:
    for _ in range(5):
        syphon.pump()
    return _named("syphon", syphon.names())
