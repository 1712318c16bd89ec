"""Two pictures in one: the crossfade that everything here uses."""

import numpy as np


def mix(under: np.ndarray, over: np.ndarray, share: float) -> np.ndarray:
    """`share` 0..1 of `over`, the rest `under`, both uint8 (H, W, 3); in steps of 1/256, at its ends the very array."""
    part = round(share * 256)
    if part <= 0 or part >= 256:
        return under if part <= 0 else over
    total = under.astype(np.uint16) * np.uint16(256 - part)
    total += over * np.uint16(part)
    total += np.uint16(128)
    total >>= 8
    return total.astype(np.uint8)
