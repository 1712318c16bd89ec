"""MP4 and Matroska files through PyAV: H.264, real time stamps, playable even when the program is killed."""

from pathlib import Path

from .faults import SinkFailed, SinkUnavailable, reason
from .h264 import H264Sink, add_h264


def part_path(path: Path, part: int) -> Path:
    """`clip.mp4`, then the first of `clip.2.mp4`, `clip.3.mp4` ... that is still free."""
    if part <= 1:
        return path
    while True:
        candidate = path.with_name(f"{path.stem}.{part}{path.suffix}")
        if not candidate.exists():
            return candidate
        part += 1


def make_folder(path: Path) -> None:
    """The folder of a file to be. Raises SinkFailed when it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise SinkFailed(f"the folder {path.parent} cannot be made: {reason(e)}") from e


class MovieSink(H264Sink):
    """H.264 at `size` (width, height; odd sides padded by one), BT.709 studio range, near-lossless.

    Each quarter of a second is put on disk as it is done. `encoder`: software, or hardware where the machine has one.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, encoder: str = "software") -> None:
        super().__init__(path.name, size, fps, encoder)
        self._path = path
        self._part = 1

    def open(self) -> None:
        """Begin a file. Raises SinkFailed when it cannot be written there."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SinkUnavailable("Writing video needs the package av: python -m pip install av") from e
        if "libx264" not in av.codecs_available:
            raise SinkUnavailable("The installed package av is built without H.264; pip's own build has it")
        make_folder(self._path)
        file = self._file = part_path(self._path, self._part)
        self._last = -1
        try:
            self._container = av.open(str(file), "w", options=_container_options(file))
            # Zero latency: every frame reaches the file at once, so a kill costs a moment and not the look-ahead.
            options = {"crf": "18", "preset": "veryfast", "tune": "zerolatency"}
            self._stream = add_h264(self._container, self._size, self._fps, options, self._encoder)
            self._container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as e:
            self._abandon()
            raise SinkFailed(f"{self._path} cannot be written: {reason(e)}") from e
        self.name = file.name
        self._part = 2

    def _complaint(self, e: BaseException) -> str:
        # The same words for every part, so that they are said once.
        return f"{self._path} cannot be written: {reason(e)}"


def _container_options(file: Path) -> dict[str, str]:
    if file.suffix.lower() == ".mkv":
        return {"cluster_time_limit": "250", "flush_packets": "1"}
    import av

    # Fragments while it is written, so that a killed program leaves a playable file.
    flags = "frag_keyframe+empty_moov+default_base_moof"
    if av.library_versions["libavformat"] >= (61, 7):
        # Closed in good order it becomes an ordinary MP4, which every editor takes.
        flags += "+hybrid_fragmented"
    return {"movflags": flags, "frag_duration": "250000", "flush_packets": "1"}
