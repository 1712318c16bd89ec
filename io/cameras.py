"""Which cameras there are, as names for `clavilux ports` and as what the platform opens them by."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .beside import NO_CONSOLE

_V4L = Path("/sys/class/video4linux")
# macOS lists screens among its cameras.
_NO_CAMERA = "Capture screen"
_POWERSHELL = (
    # Else it answers in an alphabet that depends on the country.
    "[Console]::OutputEncoding = [Text.Encoding]::UTF8; "
    "Get-CimInstance Win32_PnPEntity -Filter \"PNPClass='Camera' OR PNPClass='Image'\" | % Name"
)


class SystemCamera(NamedTuple):
    """A camera of Windows or macOS: its name, and what the platform's capture opens it by, which is its alone."""

    name: str
    key: str


def camera_names(folder: Path = _V4L) -> list[str]:
    """`camera:0  Name of it`, one a camera; best effort, empty where none is found."""
    if sys.platform.startswith("linux"):
        return [f"camera:{index}  {name}" for index, name in linux_cameras(folder)]
    return [f"camera:{index}  {camera.name}" for index, camera in enumerate(system_cameras())]


def linux_cameras(folder: Path = _V4L) -> list[tuple[int, str]]:
    """(number of /dev/video, name) of every capturing device the kernel lists."""
    found = []
    for device in folder.glob("video*") if folder.is_dir() else ():
        number = device.name.removeprefix("video")
        if not number.isdigit() or _text(device / "index") not in ("0", ""):
            # A device's further nodes carry its metadata, not its picture.
            continue
        found.append((int(number), _text(device / "name") or device.name))
    return sorted(found)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def system_cameras() -> list[SystemCamera]:
    """Cameras in order, on Windows and macOS: as their capture lists them, virtual ones too, or by the system's own
    tools where the installed PyAV cannot ask it."""
    if sys.platform not in ("win32", "darwin"):
        return []
    listed = _listed("dshow" if sys.platform == "win32" else "avfoundation")
    if listed:
        return listed
    if sys.platform == "win32":
        return [SystemCamera(name, name) for name in _lines(["powershell", "-NoProfile", "-Command", _POWERSHELL])]
    told = _lines(["system_profiler", "SPCameraDataType"])
    names = [m[1] for line in told if (m := re.fullmatch(r"\s{4}(\S.*):", line))]
    return [SystemCamera(name, str(index)) for index, name in enumerate(names)]


def _listed(kind: str) -> list[SystemCamera]:
    """What the capture called `kind` has; empty where it has none or cannot be asked."""
    import av

    try:
        devices = av.enumerate_input_devices(kind)
    except (AttributeError, ValueError, OSError, av.FFmpegError):
        return []
    return [
        SystemCamera(device.description or device.name, device.name)
        for device in devices
        if "video" in device.media_types and not device.description.startswith(_NO_CAMERA)
    ]


def _lines(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=False,
            creationflags=NO_CONSOLE,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.rstrip() for line in done.stdout.lstrip("\ufeff").splitlines() if line.strip()]
