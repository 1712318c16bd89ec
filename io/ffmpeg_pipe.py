"""SRT through an ffmpeg program, for PyAV's own build does not speak it: MPEG-TS passes through, untouched."""

import subprocess
from typing import Any

_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
_BRIEF = ("-analyzeduration", "300000", "-probesize", "100000")


def program() -> str | None:
    """An ffmpeg that speaks SRT: the one of imageio-ffmpeg, or None."""
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return None


def fault() -> str | None:
    """Why SRT is not to be had here, in words, or None."""
    return None if program() else "SRT needs the package imageio-ffmpeg: python -m pip install 'clavilux[srt]'"


class Pipe:
    """An ffmpeg that carries MPEG-TS between a URL and `stream`, a file object for PyAV. Raises OSError when made."""

    def __init__(self, url: str, out: bool) -> None:
        ffmpeg = program() or "ffmpeg"
        if out:
            words = [ffmpeg, *_QUIET, *_BRIEF]
            words += ["-f", "mpegts", "-i", "-", "-c", "copy"]
            words += ["-flush_packets", "1", "-muxdelay", "0", "-f", "mpegts", url]
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0
            )
            self.stream: Any = self._process.stdin
        else:
            words = [ffmpeg, *_QUIET, *_BRIEF, "-i", url]
            words += ["-map", "0:v:0", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "-"]
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
            )
            self.stream = self._process.stdout

    def words(self) -> str:
        """What the program complained about last; "" while it runs."""
        if self._process.poll() is None or self._process.stderr is None:
            return ""
        lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip().rstrip(".") if lines else f"it ended with {self._process.returncode}"

    def close(self) -> None:
        """End the program; whoever reads from it meets the end of its stream."""
        process = self._process
        if process.stdin is not None:
            try:
                process.stdin.close()
                process.wait(1.0)
            except (OSError, subprocess.TimeoutExpired):
                # A peer that takes nothing is not waited for.
                process.kill()
        else:
            process.kill()
        process.wait()
