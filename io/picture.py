"""Shape and colour, in one place: whatever a file or device delivers becomes RGB uint8 at the size asked for.

The fit is "fill": scale until the frame is covered, keep the centre.
"""

from fractions import Fraction
from typing import Any

import numpy as np


def cover(source: tuple[float, float], size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) that a picture of `source` proportions is scaled to so that it covers `size`."""
    scale = max(size[0] / source[0], size[1] / source[1])
    return max(size[0], round(source[0] * scale)), max(size[1], round(source[1] * scale))


def centre(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle (width, height) of a picture at least that large."""
    x = (pixels.shape[1] - size[0]) // 2
    y = (pixels.shape[0] - size[1]) // 2
    return np.ascontiguousarray(pixels[y : y + size[1], x : x + size[0]])


def fit_pixels(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (h, w, 3) at another (width, height), filled; the same array when it has that size already."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.fit(Image.fromarray(pixels), size, Image.Resampling.BICUBIC))


def fit_image(image: Any, size: tuple[int, int]) -> np.ndarray:
    """A Pillow image as RGB uint8, upright by its EXIF tag, transparency over black, filled to `size`."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # Sixteen bits a pixel: Pillow's own conversion clips instead of scaling.
        deep = np.asarray(image).astype(np.float32)
        image = Image.fromarray((np.clip(deep / 65535.0, 0, 1) * 255 + 0.5).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return np.array(ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS))


class VideoFit:
    """Turns decoded PyAV frames into RGB at `size`; keeps the scaler between frames."""

    def __init__(self, size: tuple[int, int]) -> None:
        from av.video.reformatter import VideoReformatter

        self._size = size
        self._scaler = VideoReformatter()

    def __call__(self, frame: Any, aspect: Fraction | None = None) -> np.ndarray:
        """uint8 (height, width, 3). `aspect` is the shape of one pixel (width / height), None for square."""
        from av.video.reformatter import ColorRange

        turns = round((frame.rotation or 0) / 90) % 4
        size = self._size if turns % 2 == 0 else (self._size[1], self._size[0])
        width, height = cover((frame.width * float(aspect or 1), frame.height), size)
        rgb = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_quality(shrinks=width < frame.width),
        )
        pixels = centre(rgb.to_ndarray(), size)
        return pixels if turns == 0 else np.ascontiguousarray(np.rot90(pixels, turns))


def _quality(shrinks: bool) -> Any:
    """Area when shrinking, bicubic when enlarging; with exact rounding and every pixel's own chroma."""
    from av.video.reformatter import Interpolation

    best = Interpolation.AREA if shrinks else Interpolation.BICUBIC
    for extra in ("ACCURATE_RND", "FULL_CHR_H_INT"):
        best |= getattr(Interpolation, extra, 0)
    return best


def _matrix(frame: Any) -> Any:
    """The YUV matrix a frame was made with; where it does not say, the broadcast custom by height."""
    from av.video.reformatter import Colorspace

    told = {
        1: Colorspace.ITU709,
        4: Colorspace.FCC,
        5: Colorspace.ITU601,
        6: Colorspace.ITU601,
        7: Colorspace.SMPTE240M,
        9: Colorspace.BT2020,
        10: Colorspace.BT2020,
    }.get(int(frame.colorspace))
    if told is not None:
        return told
    return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601


def _range(frame: Any) -> Any:
    """Full range where the frame or its format says so, studio range otherwise."""
    from av.video.reformatter import ColorRange

    full = int(frame.color_range) == int(ColorRange.JPEG) or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or frame.format.is_rgb else ColorRange.MPEG
