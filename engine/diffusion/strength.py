"""How strongly one of a list counts, whose knob is its place in that list's."""

from dataclasses import dataclass

# What a new place's knob is gone to with, in units a second: as fast as the knobs themselves move.
SLEW = 4.0


@dataclass(slots=True)
class Strength:
    """The knob's value; after a change of places on its way there from where it stood."""

    value: float = 0.0
    late: bool = False

    def move(self) -> None:
        """It has another place in the list now, and so another knob."""
        self.late = True

    def at(self, knob: float, dt: float) -> float:
        """The value `dt` seconds after the frame before, where its knob stands at `knob`."""
        reach = SLEW * dt
        self.value = min(max(knob, self.value - reach), self.value + reach) if self.late else knob
        self.late = self.late and self.value != knob
        return self.value
