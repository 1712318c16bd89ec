"""Pictures without a subject, whose statistics are those of photographs: they teach the autoencoder the world."""

from __future__ import annotations

import cv2
import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, mix


@concept("abstract shapes", "overlapping shapes", "an abstract collage", share=1.5)
def dead_leaves(s: Scene) -> Array:
    """Occluding shapes with sizes of a power law: the dead-leaves model (Lee, Mumford and Huang 2001)."""
    image = s.rng.random((s.n, s.n, 3)).astype(np.float32) * 0.1 + s.rng.random(3).astype(np.float32)
    textured = s.chance(0.6)
    texture = s.fbm(24, 4)
    for _ in range(s.count(60, 200, 260)):
        radius = float(np.clip(0.07 * s.rng.pareto(1.5) + 0.04, 0.04, 0.9)) * s.n / 2
        cx, cy = s.rng.uniform(-0.1, 1.1, 2) * s.n
        mask = np.zeros((s.n, s.n), np.uint8)
        kind = s.rng.integers(3)
        if kind == 0:
            cv2.ellipse(
                mask,
                (int(cx), int(cy)),
                (int(radius) + 1, int(radius * s.between(0.4, 1)) + 1),
                s.between(0, 180),
                0,
                360,
                255,
                -1,
                cv2.LINE_AA,
            )
        else:
            k = int(s.rng.integers(3, 7))
            a = np.sort(s.rng.uniform(0, 2 * np.pi, k))
            points = np.stack([cx + radius * np.cos(a), cy + radius * np.sin(a)], -1).astype(np.int32)
            cv2.fillPoly(mask, [points], 255, cv2.LINE_AA)
        x0, x1 = max(0, int(cx - radius - 2)), min(s.n, int(cx + radius + 3))
        y0, y1 = max(0, int(cy - radius - 2)), min(s.n, int(cy + radius + 3))
        if x1 <= x0 or y1 <= y0:
            continue
        m = mask[y0:y1, x0:x1, None].astype(np.float32) / 255
        colour = s.rng.beta(0.8, 0.8, 3).astype(np.float32)
        fill = np.broadcast_to(colour, (*m.shape[:2], 3))
        if textured:
            fill = fill * (0.6 + 0.7 * texture[y0:y1, x0:x1, None])
        image[y0:y1, x0:x1] += (fill - image[y0:y1, x0:x1]) * m
    return blur(image, s.between(0.3, 1.2))


@concept("abstract texture", "an abstract picture", "organic texture", "soft noise", share=1.5)
def pink_noise(s: Scene) -> Array:
    """Gaussian noise with a 1/f spectrum, as natural pictures have (Field 1987), in correlated colours."""
    fy, fx = np.fft.fftfreq(s.n)[:, None], np.fft.rfftfreq(s.n)[None]
    power = 1 / np.maximum(np.hypot(fy, fx), 1 / s.n) ** s.between(0.9, 1.7)
    planes = []
    for _ in range(3):
        phase = np.fft.rfft2(s.rng.standard_normal((s.n, s.n)))
        plane = np.fft.irfft2(phase * power, (s.n, s.n))
        planes.append((plane / plane.std()).astype(np.float32))
    weights = s.rng.normal(0, 1, (3, 3)).astype(np.float32) * np.array([1, 0.5, 0.25], np.float32)[:, None]
    image = 0.5 + 0.28 * np.stack(planes, -1) @ weights + s.rng.normal(0, 0.12, 3).astype(np.float32)
    return 1 / (1 + np.exp(-4 * (image - 0.5)))


@concept("colour gradient", "a soft gradient", "smooth blended colours", share=0.5)
def gradient(s: Scene) -> Array:
    """A few colours poured into each other."""
    corners = s.rng.beta(0.7, 0.7, (s.pick([2, 3, 4]), s.pick([2, 3, 4]), 3)).astype(np.float32)
    image = cv2.resize(corners, (s.n, s.n), interpolation=cv2.INTER_CUBIC)
    swirl = s.warp(image, 0.6 * (s.fbm(2, 2) - 0.5), 0.6 * (s.fbm(2, 2) - 0.5))
    return np.clip(mix(image, swirl, float(s.chance(0.5))), 0, 1)
