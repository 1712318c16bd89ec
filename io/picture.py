"""Shape and colour, in one place: whatever a file or device delivers becomes RGB uint8 at the size asked for."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..engine.core.enlarging import enlarged
from ..engine.core.shape import FILTERS, Shape

FILL = Shape()


def scaled(source: tuple[float, float], size: tuple[int, int], fit: str = "fill") -> tuple[int, int]:
    """The (width, height) that a picture of `source` proportions is scaled to, to be cut or padded to `size`."""
    if fit == "stretch":
        return size
    if fit == "crop":
        return max(1, round(source[0])), max(1, round(source[1]))
    across, down = size[0] / source[0], size[1] / source[1]
    if fit == "fit":
        scale = min(across, down)
        return min(size[0], max(1, round(source[0] * scale))), min(size[1], max(1, round(source[1] * scale)))
    scale = max(across, down)
    return max(size[0], round(source[0] * scale)), max(size[1], round(source[1] * scale))


def centre(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle (width, height) of a picture; black around it where it is smaller."""
    height, width = pixels.shape[:2]
    if width < size[0] or height < size[1]:
        pixels = centre(pixels, (min(width, size[0]), min(height, size[1])))
        height, width = pixels.shape[:2]
        framed = np.zeros((size[1], size[0], *pixels.shape[2:]), np.uint8)
        x, y = (size[0] - width) // 2, (size[1] - height) // 2
        framed[y : y + height, x : x + width] = pixels
        return framed
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    return np.ascontiguousarray(pixels[y : y + size[1], x : x + size[0]])


def turned(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """A picture rotated clockwise and then mirrored, in memory of its own."""
    pixels = np.rot90(pixels, -(shape.rotate // 90) % 4)
    if shape.mirror in ("horizontal", "both"):
        pixels = pixels[:, ::-1]
    if shape.mirror in ("vertical", "both"):
        pixels = pixels[::-1]
    # Channel by channel: backwards through pixels of three bytes is ten times as slow.
    solid = np.empty(pixels.shape, np.uint8)
    for channel in range(pixels.shape[2]):
        solid[..., channel] = pixels[..., channel]
    return solid


def fit_pixels(pixels: np.ndarray, size: tuple[int, int], shape: Shape = FILL) -> np.ndarray:
    """uint8 (h, w, 3) at another (width, height); the same array when there is nothing to do."""
    if shape.turned:
        pixels = turned(pixels, shape)
    own = (pixels.shape[1], pixels.shape[0])
    if own == size:
        return pixels
    target = scaled(own, size, shape.fit)
    if target != own:
        pixels = _resized(pixels, target, size, shape)
    return centre(pixels, size)


def with_alpha(pixels: np.ndarray, into: np.ndarray | None = None, order: str = "rgba") -> np.ndarray:
    """uint8 (h, w, 4), opaque, `order` rgba or bgra; written over `into` where that has the right size."""
    height, width = pixels.shape[:2]
    if into is None or into.shape != (height, width, 4):
        into = np.full((height, width, 4), 255, np.uint8)
    for channel, letter in enumerate("rgb"):
        into[..., order.index(letter)] = pixels[..., channel]
    return into


def without_alpha(picture: np.ndarray, order: str = "rgba", upside_down: bool = False) -> np.ndarray:
    """RGB uint8 (h, w, 3) of its own from (h, w, 4) in `order` rgba or bgra; alpha is left out."""
    if upside_down:
        picture = picture[::-1]
    rgb = np.empty((*picture.shape[:2], 3), np.uint8)
    for channel, letter in enumerate("rgb"):
        rgb[..., channel] = picture[..., order.index(letter)]
    return rgb


def over_black(picture: np.ndarray) -> np.ndarray:
    """RGB uint8 (h, w, 3) of its own from (h, w, 4) RGBA: colour times alpha, rounded."""
    rgb = np.empty((*picture.shape[:2], 3), np.uint8)
    alpha = picture[..., 3].astype(np.uint16)
    for channel in range(3):
        # x / 255, rounded, without a division.
        weighed = picture[..., channel] * alpha
        weighed += 128
        weighed += weighed >> 8
        weighed >>= 8
        rgb[..., channel] = weighed
    return rgb


def _resized(pixels: np.ndarray, target: tuple[int, int], size: tuple[int, int], shape: Shape) -> np.ndarray:
    """Scaled to `target`, of which no more than the middle `size` is worked out."""
    from PIL import Image

    width, height = pixels.shape[1], pixels.shape[0]
    kept = min(target[0], size[0]), min(target[1], size[1])
    share = kept[0] / target[0] * width, kept[1] / target[1] * height
    x, y = (width - share[0]) / 2, (height - share[1]) / 2
    if shape.filter not in FILTERS:
        own = _by_own(pixels, kept, (x, y, share[0], share[1]), shape.filter)
        if own is not None:
            return own
    filter_ = _pillow_filter(shape.filter)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(kept, filter_, box=(x, y, x + share[0], y + share[1])))


def _by_own(pixels: np.ndarray, kept: tuple[int, int], part: tuple[float, ...], name: str) -> np.ndarray | None:
    """A part (x, y, width, height) enlarged by a performer's own way; None where it would be made smaller, or fails."""
    x, y, width, height = (round(side) for side in part)
    if kept[0] < width or kept[1] < height:
        return None
    return enlarged(name, pixels[y : y + height, x : x + width], kept)


def _pillow_filter(name: str) -> Any:
    from PIL import Image

    return Image.Resampling[name.upper() if name in FILTERS else "BICUBIC"]


def fit_image(image: Any, size: tuple[int, int], shape: Shape = FILL) -> np.ndarray:
    """A Pillow image as RGB uint8, upright by its EXIF tag, transparency over black, shaped to `size`."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # Sixteen bits a pixel: Pillow's own conversion clips instead of scaling.
        deep = np.asarray(image).astype(np.float32)
        image = Image.fromarray((np.clip(deep / 65535.0, 0, 1) * 255 + 0.5).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    # A still is scaled once: the best filter costs nothing.
    best = replace(shape, filter="lanczos") if shape.filter == "bicubic" else shape
    return np.array(fit_pixels(np.asarray(image.convert("RGB")), size, best))


class VideoFit:
    """Turns decoded PyAV frames into RGB at `size`; keeps the scaler between frames."""

    def __init__(self, size: tuple[int, int], shape: Shape = FILL) -> None:
        from av.video.reformatter import VideoReformatter

        self._size = size
        self._shape = shape
        self._scaler = VideoReformatter()

    def __call__(self, frame: Any, aspect: Fraction | None = None) -> np.ndarray:
        """uint8 (height, width, 3). `aspect` is the shape of one pixel (width / height), None for square."""
        from av.video.reformatter import ColorRange

        shape = self._shape
        upright = round((frame.rotation or 0) / 90) % 4
        sideways = (upright + shape.rotate // 90) % 2 == 1
        size = (self._size[1], self._size[0]) if sideways else self._size
        width, height = scaled((frame.width * float(aspect or 1), frame.height), size, shape.fit)
        rgb = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=_range(frame, shape.range),
            dst_color_range=ColorRange.JPEG,
            interpolation=_quality(shape.filter, shrinks=width < frame.width),
        )
        pixels = centre(rgb.to_ndarray(), size)
        if upright == 0 and not shape.turned:
            return pixels
        return turned(np.rot90(pixels, upright), shape)


def _quality(filter_: str, shrinks: bool) -> Any:
    """Area when shrinking, the asked filter when enlarging; with exact rounding and every pixel's own chroma."""
    from av.video.reformatter import Interpolation

    asked = {"nearest": "POINT", "bilinear": "BILINEAR", "lanczos": "LANCZOS"}.get(filter_, "BICUBIC")
    best = Interpolation.AREA if shrinks and asked != "POINT" else Interpolation[asked]
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


def _range(frame: Any, asked: str = "auto") -> Any:
    """The range asked for; else full range where the frame or its format says so, studio range otherwise."""
    from av.video.reformatter import ColorRange

    if asked != "auto":
        return ColorRange.JPEG if asked == "full" else ColorRange.MPEG
    full = int(frame.color_range) == int(ColorRange.JPEG) or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or frame.format.is_rgb else ColorRange.MPEG
