"""Loudness: how strong the lows, mids and highs of a sound are, on a scale that finds the room's level by itself."""

import numpy as np

BANDS = ("low", "mid", "high", "all")
# Hz. A kick drum; voices and snares; hats and cymbals.
_EDGES = ((20.0, 150.0), (150.0, 2500.0), (2500.0, 12000.0), (20.0, 12000.0))
_WINDOW = 1024
# Each band's own loudest moment is 1; it is forgotten by half in so many seconds, and silence is below so much. What
# of a band is only the others' traces, less than this share of everything, is not made loud.
_FORGOTTEN, _SILENCE, _TRACE = 8.0, 1e-3, 0.05
# A sample beyond this is a driver's fault.
_CLIPPED = 4.0


class Loudness:
    """Blocks of samples in, four levels 0..1 out, in the order of BANDS. `rate`: samples a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._heard = np.zeros(_WINDOW, np.float32)
        self._taper = np.hanning(_WINDOW).astype(np.float32)
        hz = np.fft.rfftfreq(_WINDOW, 1 / rate)
        self._parts = [(hz >= lo) & (hz < hi) for lo, hi in _EDGES]
        self._loudest = np.full(len(BANDS), _SILENCE)

    def feed(self, block: np.ndarray) -> tuple[float, ...]:
        """Levels after a block of mono samples, -1..1, any length; what is not a number counts as silence."""
        block = np.clip(np.nan_to_num(np.asarray(block, np.float32), posinf=0.0, neginf=0.0), -_CLIPPED, _CLIPPED)
        self._heard = np.concatenate([self._heard, block])[-_WINDOW:]
        # Twice the mean square of a tapered sine of amplitude a is 3/8 a^2 (Parseval; the taper's mean square).
        power = np.abs(np.fft.rfft(self._heard * self._taper)) ** 2 * (2.0 / _WINDOW**2 / 0.375)
        levels = np.array([np.sqrt(power[part].sum()) for part in self._parts])
        faded = 0.5 ** (len(block) / self._rate / _FORGOTTEN)
        self._loudest = np.maximum(np.maximum(self._loudest * faded, levels), _SILENCE)
        full = np.maximum(self._loudest, _TRACE * self._loudest[-1])
        return tuple(np.where(levels < _SILENCE, 0.0, levels / full).tolist())
