"""One picture's light in another's stuff: what image to image has to paint, shown at training."""

from __future__ import annotations

import numpy as np

from .colour import luminance
from .scene import Array, Scene, blur


def shaped(stuff: Array, form: Array, rng: np.random.Generator) -> Array:
    """``stuff`` bent, lit and edged by the light of ``form``; both size x size x 3 uint8, and so is the result."""
    scene = Scene(rng, stuff.shape[0])
    light = luminance(form.astype(np.float32) / 255)
    low, high = np.percentile(light[::4, ::4], (2, 98))
    light = np.clip((light - low) / (high - low + 0.05), 0, 1)
    soft = blur(light, rng.uniform(1.0, 3.0))
    gy, gx = np.gradient(blur(light, 4.0))
    pull = rng.uniform(1.5, 5.0)
    bent = scene.warp(stuff.astype(np.float32) / 255, -gx * pull, -gy * pull)
    depth = rng.uniform(0.5, 0.95)
    lit = bent * (1 - depth + 1.5 * depth * soft)[..., None]
    edge = np.clip(light - blur(light, 3.0), -0.5, 0.5) * rng.uniform(0.0, 0.8)
    return (np.clip(lit + edge[..., None], 0, 1) * 255 + 0.5).astype(np.uint8)
