"""The end of a file that PyAV writes: finished when all went well, let go of as it is when not, and taken away where it
got no picture."""

from abc import ABC
from contextlib import suppress
from pathlib import Path
from typing import Any

from .faults import SinkFailed, reason


class Film(ABC):
    """What sinks that write through one PyAV container share. `_container` is None while nothing is open."""

    name: str
    _container: Any
    _stream: Any
    _file: Path | None = None
    # The time stamp of the newest frame, below 0 where there is none.
    _last: int

    def close(self) -> None:
        if self._container is None:
            return
        if self._last < 0:
            self._abandon()
            return
        import av

        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (av.FFmpegError, OSError) as e:
            raise SinkFailed(f"the end of {self.name} cannot be written: {reason(e)}") from e
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Let go of the file as it is; what was written so far is on disk, and one without a picture is taken away."""
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            import av

            # What made it fail has been reported already.
            with suppress(av.FFmpegError, OSError):
                container.close()
        if self._last < 0 and self._file is not None and not self._file.is_symlink():
            # A full disk would fill with them, one at every new try. It is nobody's loss where it stays.
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
