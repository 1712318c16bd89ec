"""The end of a file that PyAV writes: finished when all went well, let go of as it is when not, and taken away where it
got no picture."""

from abc import ABC
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
            drop(self._file)
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
        """Let go of the file as it is; what was written so far is on disk."""
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            import av

            try:
                container.close()
            except (av.FFmpegError, OSError):
                # What made it fail has been reported already.
                return


def drop(file: Path | None) -> None:
    """Take a file away that was begun and got nothing."""
    try:
        if file is not None and file.is_file() and not file.is_symlink():
            file.unlink()
    except OSError:
        # It is nobody's loss where it stays.
        return
