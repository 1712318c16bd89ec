"""Two pictures in one: the crossfade that everything here uses."""

import numpy as np

# Values in one band.
_BAND = 1 << 16


def mix(under: np.ndarray, over: np.ndarray, share: float) -> np.ndarray:
    """`share` 0..1 of `over`, the rest `under`, both uint8 (H, W, 3); in steps of 1/256, at its ends the very array."""
    part = round(share * 256)
    if part <= 0 or part >= 256:
        return under if part <= 0 else over
    made = np.empty_like(under)
    # Band by band: what is worked with stays in the processor's cache, and is no picture's worth of memory.
    rows = max(1, _BAND // max(1, under[0].size))
    for top in range(0, len(under), rows):
        band = slice(top, top + rows)
        total = under[band].astype(np.uint16) * np.uint16(256 - part)
        total += over[band] * np.uint16(part)
        total += np.uint16(128)
        np.right_shift(total, 8, out=total)
        made[band] = total
    return made
