"""Transport: tempo and the count of beats, as pure arithmetic on the engine's clock."""

# Taps further apart than this begin a new count; a tempo comes from at most this many intervals.
_TAP_GAP = 2.0
_TAP_MEMORY = 4


class Transport:
    """Beats since the show began. A change of tempo goes on counting from where the count stands."""

    def __init__(self, tempo: float = 120.0) -> None:
        self._tempo = tempo
        self._t0 = 0.0
        self._beat0 = 0.0
        self._taps: list[float] = []

    @property
    def tempo(self) -> float:
        """Beats a minute."""
        return self._tempo

    def set_tempo(self, tempo: float, t: float) -> None:
        if tempo != self._tempo:
            self._beat0, self._t0 = self.beat(t), t
            self._tempo = tempo

    def beat(self, t: float) -> float:
        """Beats counted at moment `t`, with their fraction."""
        return self._beat0 + (t - self._t0) * self._tempo / 60.0

    def tap(self, t: float) -> float | None:
        """One tap at `t`; from the second on, the tempo in beats a minute of the taps so far."""
        if self._taps and t - self._taps[-1] > _TAP_GAP:
            self._taps.clear()
        self._taps = [*self._taps[-_TAP_MEMORY:], t]
        if len(self._taps) < 2 or self._taps[-1] <= self._taps[0]:
            return None
        return 60.0 * (len(self._taps) - 1) / (self._taps[-1] - self._taps[0])
