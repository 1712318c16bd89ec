"""Numbered PNGs in a folder: 000000.png, 000001.png, ..."""

import os
from contextlib import suppress
from pathlib import Path

from ..engine.core.frame import Frame
from ..engine.core.moving import move
from .faults import SinkFailed, reason
from .picture import fit_pixels
from .takes import drop_beyond


class FolderSink:
    """Writes each frame at `size` (width, height) without loss; pictures of an earlier run are replaced one by one.

    `again`: what is written can be made again, so that what is left of a longer film goes when this one is closed.
    """

    def __init__(self, folder: Path, size: tuple[int, int], again: bool = False) -> None:
        self.name = f"{folder.name or folder}/"
        self._folder = folder
        self._size = size
        self._again = again
        self._count = 0

    def open(self) -> None:
        """Make the folder. Raises SinkFailed when that is not possible."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise SinkFailed(f"the folder {self._folder} cannot be made: {reason(e)}") from e
        if not os.access(self._folder, os.W_OK):
            raise SinkFailed(f"the folder {self._folder} cannot be written to: Permission denied")

    def write(self, frame: Frame) -> None:
        from PIL import Image

        file = self._folder / f"{self._count:06d}.png"
        unfinished = file.with_suffix(".part")
        try:
            # Under another name until it is whole: whoever watches the folder never reads half a picture.
            Image.fromarray(fit_pixels(frame.pixels, self._size)).save(unfinished, "PNG", compress_level=3)
            move(unfinished, file)
        except OSError as e:
            # What holds it off from its place may hold it here too.
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise SinkFailed(f"{self.name}{file.name} cannot be written: {reason(e)}") from e
        self._count += 1

    def close(self) -> None:
        if self._again and self._count:
            try:
                drop_beyond(self._folder, self._count)
            except OSError as e:
                raise SinkFailed(f"older pictures in {self.name} cannot be taken away: {reason(e)}") from e
