"""Takeover: what a physical control does when it does not stand where the parameter stands.

Positions are shares of the binding's range, 0..1. All three give the next position of the parameter, or None
while the control has not taken over yet.
"""

# A control this close to the parameter has picked it up: a little over one step of a 7-bit controller.
TOLERANCE = 0.02


class Jump:
    """The parameter goes where the control is."""

    def move(self, control: float, parameter: float) -> float | None:
        return control

    def watch(self, control: float) -> None:
        """The control moves while it plays something else (another bank)."""

    def release(self) -> None:
        """The parameter was changed from elsewhere."""


class Pickup:
    """Nothing happens until the control reaches or crosses the parameter's position; then it leads."""

    def __init__(self) -> None:
        self._leads = False
        self._last: float | None = None

    def move(self, control: float, parameter: float) -> float | None:
        if not self._leads:
            crossed = self._last is not None and (self._last - parameter) * (control - parameter) <= 0
            self._leads = crossed or abs(control - parameter) <= TOLERANCE
        self._last = control
        return control if self._leads else None

    def watch(self, control: float) -> None:
        self._leads = False
        self._last = control

    def release(self) -> None:
        self._leads = False


class Scale:
    """The parameter moves with the control, in proportion to the way each has left to its end, so that both
    arrive at the same end together and from then on are one."""

    def __init__(self) -> None:
        self._last: float | None = None

    def move(self, control: float, parameter: float) -> float | None:
        last, self._last = self._last, control
        if control in (0.0, 1.0):
            return control
        if last is None:
            return None
        if control > last:
            return parameter + (control - last) * (1.0 - parameter) / (1.0 - last)
        if control < last:
            return parameter - (last - control) * parameter / last
        return None

    def watch(self, control: float) -> None:
        self._last = control

    def release(self) -> None:
        """Where the control stands is still known, so nothing is forgotten."""


Takeover = Jump | Pickup | Scale
KINDS: dict[str, type[Jump] | type[Pickup] | type[Scale]] = {"jump": Jump, "pickup": Pickup, "scale": Scale}
