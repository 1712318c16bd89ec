"""A calibrated card for lossy ways, and how much of it came through."""

import numpy as np
import pytest

from .jack_server import jack as jack


@pytest.fixture(scope="session")
def soft_card() -> np.ndarray:
    """uint8 (192, 256, 3): no flip or turn gives the same; black and white in it; edges soft for halved chroma."""
    y, x = np.mgrid[:192, :256].astype(np.float64)
    picture = np.stack([60 + 120 * x / 255, 70 + 90 * y / 191, 150 - 60 * x / 255], axis=-1)
    for cx, cy, radius, colour in (
        (48, 44, 34, (255, 255, 255)),
        (206, 44, 30, (0, 0, 0)),
        (50, 146, 30, (220, 30, 40)),
        (150, 150, 26, (30, 60, 220)),
        (128, 60, 18, (40, 200, 70)),
    ):
        away = np.hypot(x - cx, y - cy)
        cover = np.clip((radius - away) / 8 + 0.5, 0, 1)
        cover = (cover * cover * (3 - 2 * cover))[..., None]
        picture += cover * (np.array(colour) - picture)
    return np.ascontiguousarray(picture.round().astype(np.uint8))


@pytest.fixture(scope="session")
def psnr():
    """Peak signal to noise in dB of two uint8 pictures; 99 where they are the same."""

    def measure(a: np.ndarray, b: np.ndarray) -> float:
        error = np.mean((a.astype(np.float64) - b) ** 2)
        return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))

    return measure
