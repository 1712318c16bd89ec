"""Transport: tempo and the count of beats, as pure arithmetic on the engine's clock."""

import math
from collections import deque
from typing import Any

# Taps further apart than this begin a new count; a tempo comes from at most this many intervals.
_TAP_GAP = 2.0
_TAP_MEMORY = 4
MIDI_CLOCK = frozenset({"/clock", "/start", "/stop", "/continue", "/songposition"})
TICKS_PER_BEAT = 24
_TICKS_PER_SIXTEENTH = 6
# Without a tick for so long the clock counts as gone; the slowest tempo that is followed has ticks closer than this.
CLOCK_GONE = 0.5
# For so long after it was heard last a session leads.
_SESSION_GONE = 1.0
# So near, in beats, the count is the session's.
_IN_TIME = 0.005
# What share of its distance from the song's beat the count makes good at each tick.
_LEANING = 0.02


class TickFilter:
    """The period of a clock whose ticks arrive with jitter: a second-order delay-locked loop.

    F. Adriaensen, "Using a DLL to Filter Time", Linux Audio Conference 2005. Wide at first, so that the tempo is there
    after a few ticks, then narrow, so that jitter of a millisecond moves it by less than a tenth of a beat a minute.
    Ticks that are off in the same direction one after another are a new tempo: it begins anew from the mean of the last
    beat, which a burst after a stall moves little.
    """

    _WIDE, _NARROW, _SETTLING = 0.3, 0.01, 96
    # So many ticks in a row, each off by this share of a period at least.
    _OFF, _IN_A_ROW = 0.2, 6
    # How far from the mean of the last beat the period may be.
    _LOOSE = 1.15

    def __init__(self) -> None:
        self.period: float | None = None
        self._recent: deque[float] = deque(maxlen=TICKS_PER_BEAT + 1)
        self._due = 0.0
        self._ticks = 0
        self._off = 0

    def tick(self, t: float) -> None:
        """One tick arrives at `t`."""
        if self._recent and t - self._recent[-1] >= CLOCK_GONE:
            self._recent.clear()
            self.period = None
        self._recent.append(t)
        if len(self._recent) < 2 or t <= self._recent[0]:
            return
        if self.period is None:
            self._begin(t)
            return
        self._ticks += 1
        error = t - self._due
        direction = 0 if abs(error) < self._OFF * self.period else 1 if error > 0 else -1
        self._off = 0 if direction == 0 else self._off + direction if self._off * direction >= 0 else direction
        if abs(self._off) >= self._IN_A_ROW:
            self._begin(t)
            return
        share = min(self._ticks / self._SETTLING, 1.0)
        omega = 2 * math.pi * self._WIDE * (self._NARROW / self._WIDE) ** share
        # One tick that is far off is the cable's or the machine's fault, not the player's.
        error = min(max(error, -self.period), self.period)
        self._due += math.sqrt(2) * omega * error + self.period
        # Ticks that come in heaps, from a machine that has more to do than it can, swing the loop; the mean of the last
        # beat holds it.
        mean = (t - self._recent[0]) / (len(self._recent) - 1)
        self.period = min(max(self.period + omega * omega * error, mean / self._LOOSE), mean * self._LOOSE)

    def _begin(self, t: float) -> None:
        self.period = (t - self._recent[0]) / (len(self._recent) - 1)
        self._due = t + self.period
        self._ticks = self._off = 0


class Transport:
    """Beats since the show began. A change of tempo goes on counting from where the count stands.

    A MIDI clock is followed while it ticks: `playing` and `position` (beats since its start, by its ticks) are the
    song's; `beat` never runs backwards.
    """

    def __init__(self, tempo: float = 120.0) -> None:
        self._tempo = tempo
        self._t0 = 0.0
        self._beat0 = 0.0
        self._bar0 = 0.0  # a beat that begins a bar
        self._taps: list[float] = []
        self._filter = TickFilter()
        self._clock: str | None = None
        self._ticked = float("-inf")
        self._joined = float("-inf")
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

    def led(self, t: float) -> bool:
        """Does another program say where the beats are at moment `t`?"""
        return self.clocked(t) or t - self._joined < _SESSION_GONE

    def set_tempo(self, tempo: float, t: float) -> None:
        if tempo != self._tempo:
            self._beat0, self._t0 = self.beat(t), max(t, self._t0)
            self._tempo = tempo

    def beat(self, t: float) -> float:
        """Beats counted at moment `t`, with their fraction."""
        return self._beat0 + max(t - self._t0, 0.0) * self._tempo / 60.0

    def moment(self, beat: float) -> float:
        """When a beat falls, at the tempo of now."""
        return self._t0 + (beat - self._beat0) * 60.0 / self._tempo

    def next(self, every: float, t: float) -> float:
        """The first beat at or after moment `t` that is a whole number of `every` beats from the beginning of a bar."""
        return math.ceil((self.beat(t) - self._bar0) / every - 1e-9) * every + self._bar0

    def tap(self, t: float) -> float | None:
        """One tap at `t`; from the second on, the tempo in beats a minute of the taps so far."""
        if self._taps and t - self._taps[-1] > _TAP_GAP:
            self._taps.clear()
        self._taps = [*self._taps[-_TAP_MEMORY:], t]
        tempo = None
        if len(self._taps) > 1 and self._taps[-1] > self._taps[0]:
            tempo = 60.0 * (len(self._taps) - 1) / (self._taps[-1] - self._taps[0])
        if not self.led(t):
            beat = self._land(0.0, t, tempo or self._tempo)
            if len(self._taps) == 1:
                self._bar0 = beat
        return tempo

    def join(self, beat: float, t: float) -> bool:
        """A session whose count is `beat` at moment `t` leads, unless a MIDI clock does: our beats and bars are its
        own. Whether it leads."""
        if self.clocked(t):
            return False
        self._joined = t
        away = (beat - self.beat(t) + 0.5) % 1.0 - 0.5
        here = self._land(beat % 1.0, t, self._tempo) if abs(away) > _IN_TIME else self.beat(t) + away
        self._bar0 = float(round(here - beat))
        return True

    def _land(self, share: float, t: float, tempo: float) -> float:
        """Have the nearest beat with this fraction fall on `t`: the count moves forward, or stands still until it is
        in time. Which beat that is."""
        now = self.beat(t)
        beat = round(now - share) + share
        if beat >= now:
            self._beat0, self._t0 = beat, t
        else:
            self._beat0, self._t0 = now, t + (now - beat) * 60.0 / tempo
        return beat

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
        self._bar0 = now + ahead - self.position

    def _lean(self, t: float) -> None:
        """Lean the count towards the song's, so that rounding of the tempo never adds up."""
        away = (self.position - self.beat(t) + 0.5) % 1.0 - 0.5
        self._beat0 += away * _LEANING
