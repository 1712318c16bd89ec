"""SRT through an ffmpeg program, for PyAV's own build does not speak it: MPEG-TS passes through, untouched."""

import subprocess
import threading
from typing import IO, Any

from .beside import NO_CONSOLE

_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
# Of what the program says only so much is kept, the newest bytes.
_TAIL = 4096
# How long its last words may take to arrive when it has ended, seconds.
_LAST_WORDS = 1.0
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
    return None if program() else 'SRT needs the package imageio-ffmpeg: python -m pip install "clavilux[srt]"'


class Pipe:
    """An ffmpeg that carries MPEG-TS between a URL and `stream`, a file object for PyAV. Raises OSError when made."""

    def __init__(self, url: str, out: bool) -> None:
        ffmpeg = program() or "ffmpeg"
        if out:
            words = [ffmpeg, *_QUIET, *_BRIEF]
            words += ["-f", "mpegts", "-i", "-", "-c", "copy"]
            words += ["-flush_packets", "1", "-muxdelay", "0", "-f", "mpegts", url]
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0,
                creationflags=NO_CONSOLE,
            )  # fmt: skip
            self.stream: Any = self._process.stdin
        else:
            words = [ffmpeg, *_QUIET, *_BRIEF, "-i", url]
            words += ["-map", "0:v:0", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "-"]
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                creationflags=NO_CONSOLE,
            )  # fmt: skip
            self.stream = self._process.stdout
        self._said = b""
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), name="ffmpeg", daemon=True)
        self._listener.start()

    def _listen(self, messages: IO[bytes]) -> None:
        """Take what the program says for as long as it runs: one that cannot get rid of its words stands still."""
        with messages:
            while some := messages.read(_TAIL):
                self._said = (self._said + some)[-_TAIL:]

    def words(self) -> str:
        """What the program complained about last; "" while it runs."""
        if self._process.poll() is None:
            return ""
        self._listener.join(_LAST_WORDS)
        lines = self._said.decode(errors="replace").strip().splitlines()
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
