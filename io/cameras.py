"""Which cameras there are, as names for `clavilux ports` and as what the platform opens them by."""

import re
import subprocess
import sys
from pathlib import Path

_V4L = Path("/sys/class/video4linux")


def camera_names(folder: Path = _V4L) -> list[str]:
    """`camera:0  Name of it`, one a camera; best effort, empty where none is found."""
    if sys.platform.startswith("linux"):
        return [f"camera:{index}  {name}" for index, name in linux_cameras(folder)]
    return [f"camera:{index}  {name}" for index, name in enumerate(system_cameras())]


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
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def system_cameras() -> list[str]:
    """Camera names in order, on Windows and macOS, from the system's own tools."""
    if sys.platform == "win32":
        ask = "Get-CimInstance Win32_PnPEntity -Filter \"PNPClass='Camera' OR PNPClass='Image'\" | % Name"
        return _lines(["powershell", "-NoProfile", "-Command", ask])
    if sys.platform == "darwin":
        told = _lines(["system_profiler", "SPCameraDataType"])
        return [m[1] for line in told if (m := re.fullmatch(r"\s{4}(\S.*):", line))]
    return []


def _lines(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
