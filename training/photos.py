"""A few natural photographs that come with installed packages, for the autoencoder.

Trained on (scikit-image, CC0 or public domain): brick, camera, grass, gravel, rocket, hubble_deep_field, retina, coins;
those not in the installed wheel are left out, nothing is downloaded. Held out for evaluation: astronaut, coffee, cat.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

TRAIN = (
    "brick.png",
    "camera.png",
    "grass.png",
    "gravel.png",
    "rocket.jpg",
    "hubble_deep_field.jpg",
    "retina.jpg",
    "coins.png",
)
HELD_OUT = {"astronaut": "astronaut.png", "coffee": "coffee.png", "cat": "chelsea.png"}


def read(name: str) -> np.ndarray | None:
    """RGB uint8, or None when the wheel does not carry the file."""
    import skimage.data

    path = Path(skimage.data.__file__).parent / name
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.exists() else None
    return None if picture is None else picture[..., ::-1].copy()


def training_photos() -> list[np.ndarray]:
    """Those that are installed."""
    return [photo for name in TRAIN if (photo := read(name)) is not None]


def square(photo: np.ndarray, size: int) -> np.ndarray:
    """The middle square at size x size."""
    n = min(photo.shape[:2])
    y, x = (photo.shape[0] - n) // 2, (photo.shape[1] - n) // 2
    return cv2.resize(photo[y : y + n, x : x + n], (size, size), interpolation=cv2.INTER_AREA)


def held_out(size: int = 256) -> dict[str, np.ndarray]:
    """The evaluation photographs, square."""
    found = {name: read(file) for name, file in HELD_OUT.items()}
    return {name: square(photo, size) for name, photo in found.items() if photo is not None}
