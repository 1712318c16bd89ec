"""Still pictures: one for ever, or a folder of them in natural order, one a frame."""

import re
from pathlib import Path

import numpy as np

from ..engine.core.frame import Frame
from ..engine.core.notices import Notices
from ..engine.core.shape import PLAIN, SourceOptions
from .faults import SourceFailed, reason
from .picture import fit_image

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_KEEP_BYTES = 256 * 2**20


def natural(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts `shot2` before `shot10`, whatever the case."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder in natural order; hidden ones are left out."""
    found = (p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith("."))
    return sorted(found, key=natural)


class ImageSource:
    """A picture, or a folder of them, filled to `size` (width, height); frame n shows picture n modulo count.

    A picture that cannot be read is reported once and the next one stands in its place. `options`: shape, rate,
    where to start (seconds), and whether the folder begins again or its last picture is held.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float,
        notices: Notices,
        options: SourceOptions = PLAIN,
    ) -> None:
        self.name = path.name or str(path)
        self._rate = options.fps or fps
        self.fps: float | None = self._rate
        self.live = False
        self._path = path
        self._size = size
        self._options = options
        self._notices = notices
        self._files: list[Path] = []
        self._seen: dict[Path, np.ndarray | None] = {}
        self._n = 0

    def open(self) -> None:
        """List the folder and read the first picture. Raises SourceFailed when none can be read."""
        self._seen.clear()
        try:
            self._files = pictures_in(self._path) if self._path.is_dir() else [self._path]
        except OSError as e:
            raise SourceFailed(f"{self.name}: the folder cannot be listed: {reason(e)}") from e
        self._picture(self._n)

    def read(self) -> Frame:
        pixels = self._picture(self._n)
        n, self._n = self._n, self._n + 1
        return Frame(pixels, n, n / self._rate)

    def length(self) -> int:
        """Pictures in the folder; one where it is a single picture, however long a live show shows it."""
        return len(self._files)

    def seek(self, n: int) -> None:
        self._n = n

    def close(self) -> None:
        self._seen.clear()

    def _picture(self, n: int) -> np.ndarray:
        """Picture n, or the first good one after it."""
        count = len(self._files)
        n += round(self._options.start * self._rate)
        if not self._options.loop:
            n = min(n, count - 1)
        for k in range(count):
            pixels = self._load(self._files[(n + k) % count])
            if pixels is not None:
                return pixels
        raise SourceFailed(f"{self.name}: no picture in it can be read")

    def _load(self, file: Path) -> np.ndarray | None:
        if file in self._seen:
            return self._seen[file]
        from PIL import Image

        try:
            with Image.open(file) as image:
                pixels = fit_image(image, self._size, self._options.shape)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
            # Pillow answers a broken PNG with SyntaxError and a broken header with ValueError.
            self._notices.say(f"picture:{file.name}", f"{file.name} is skipped: {_plainly(e, file)}")
            pixels = None
        size = self._size[0] * self._size[1] * 3
        if pixels is None or (len(self._seen) + 1) * size <= _KEEP_BYTES:
            self._seen[file] = pixels
        return pixels


def _plainly(e: BaseException, file: Path) -> str:
    if "cannot identify" in str(e):
        return "it is not a picture this can read"
    return reason(e).replace(str(file), file.name)
