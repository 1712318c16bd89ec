"""Transport: tempo and the count of beats, as pure arithmetic on the engine's clock."""

import math
from typing import Any

# Taps further apart than this begin a new count; a tempo comes from at most this many intervals.
_TAP_GAP = 2.0
_TAP_MEMORY = 4
MIDI_CLOCK = frozenset({"/clock", "/start", "/stop", "/continue", "/songposition"})
TICKS_PER_BEAT = 24
_TICKS_PER_SIXTEENTH = 6
# Without a tick for so long the clock counts as gone; the slowest tempo that is followed has ticks closer than this.
CLOCK_GONE = 0.5
# What share of its distance from the song's beat the count makes good at each tick.
_LEANING = 0.02


class TickFilter:
    """The period of a clock whose ticks arrive with jitter: a second-order delay-locked loop.

    F. Adriaensen, "Using a DLL to Filter Time", Linux Audio Conference 2005. Wide at first, so that the tempo is there
    after a few ticks, then narrow, so that jitter of a millisecond moves it by less than a tenth of a beat a minute.
    """

    _WIDE, _NARROW, _SETTLING = 0.3, 0.01, 96

    def __init__(self) -> None:
        self.period: float | None = None
        self._last: float | None = None
        self._due = 0.0
        self._ticks = 0

    def tick(self, t: float) -> None:
        """One tick arrives at `t`."""
        last, self._last = self._last, t
        if last is None or not 0 < t - last < CLOCK_GONE:
            # The first tick, or one after a pause: a new clock.
            if last is None or t - last >= CLOCK_GONE:
                self.period = None
            return
        if self.period is None or abs(t - self._due) > 2 * self.period:
            self.period, self._due, self._ticks = t - last, 2 * t - last, 0
            return
        self._ticks += 1
        share = min(self._ticks / self._SETTLING, 1.0)
        omega = 2 * math.pi * self._WIDE * (self._NARROW / self._WIDE) ** share
        error = t - self._due
        if abs(error) > 0.2 * self.period and share > 0.5:
            # More than jitter: the tempo changes; be quick again.
            self._ticks = self._SETTLING // 8
        self._due += math.sqrt(2) * omega * error + self.period
        self.period = max(self.period + omega * omega * error, 1e-4)


class Transport:
    """Beats since the show began. A change of tempo goes on counting from where the count stands.

    A MIDI clock is followed while it ticks: `playing` and `position` (beats since its start, by its ticks) are the
    song's; `beat` never runs backwards.
    """

    def __init__(self, tempo: float = 120.0) -> None:
        self._tempo = tempo
        self._t0 = 0.0
        self._beat0 = 0.0
        self._taps: list[float] = []
        self._filter = TickFilter()
        self._clock: str | None = None
        self._ticked = float("-inf")
        self._armed = False
        self.ticks = 0
        self.song_ticks = 0
        self.playing = False

    @property
    def tempo(self) -> float:
        """Beats a minute."""
        return self._tempo

    @property
    def position(self) -> float:
        """Where the song stands, in beats, by the clock's ticks and song position messages."""
        return self.song_ticks / TICKS_PER_BEAT

    def clocked(self, t: float) -> bool:
        """Does a MIDI clock tick at moment `t`?"""
        return t - self._ticked < CLOCK_GONE

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

    def follow(self, message: str, args: tuple[Any, ...], t: float, port: str) -> float | None:
        """A MIDI real-time message from `port`; returns the tempo in beats a minute once the ticks tell it.

        Of two devices that send a clock the first is followed as long as it ticks.
        """
        if self._clock != port and self.clocked(t):
            return None
        if self._clock != port:
            self._clock, self._filter = port, TickFilter()
        match message:
            case "/clock":
                return self._tick(t)
            case "/start":
                self.playing, self._armed, self.song_ticks = True, True, 0
            case "/continue":
                self.playing, self._armed = True, True
            case "/stop":
                self.playing = False
            case "/songposition":
                # Only a stopped clock may be moved by the specification; some move a playing one, and mean it.
                if len(args) == 1 and isinstance(args[0], int):
                    self.song_ticks = args[0] * _TICKS_PER_SIXTEENTH
        return None

    def _tick(self, t: float) -> float | None:
        self._ticked = t
        self.ticks += 1
        self._filter.tick(t)
        if self.playing:
            if self._armed:
                # The first tick after start or continue is where the song stands; our beat falls on the song's.
                self._armed = False
                self._align(t)
            else:
                self.song_ticks += 1
                self._lean(t)
        period = self._filter.period
        return None if period is None else 60.0 / (TICKS_PER_BEAT * period)

    def _align(self, t: float) -> None:
        """Move the count forward, by less than a beat, so that its fraction is the song's."""
        now = self.beat(t)
        ahead = (self.position - now) % 1.0
        self._beat0, self._t0 = now + ahead, t

    def _lean(self, t: float) -> None:
        """Lean the count towards the song's, so that rounding of the tempo never adds up."""
        away = (self.position - self.beat(t) + 0.5) % 1.0 - 0.5
        self._beat0 += away * _LEANING
