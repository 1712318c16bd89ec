"""Banks: which rows of a mapping are live. A bank is latched by a button or held by a shift key."""

from collections.abc import Iterable

from .bindings import Binding, Control
from .parameters import Refused

NEXT, PREVIOUS = "next", "previous"


class Banks:
    """The banks of every mapping that has some, in the order in which its rows name them.

    The first bank that no shift key holds is live when the show begins. A row without a bank is always live.
    """

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._latched: dict[str, str | None] = {}
        self._held: dict[str, list[str]] = {}
        # Which keys hold which banks of a mapping.
        self._shifts: dict[str, set[tuple[Control, str]]] = {}

    def bind(self, bindings: Iterable[Binding]) -> None:
        """Take the banks of these rows; one that was chosen or is held stays so where it is still there."""
        names: dict[str, list[str]] = {}
        shifts: dict[str, set[tuple[Control, str]]] = {}
        for b in bindings:
            if b.bank is not None and b.bank not in names.setdefault(b.mapping, []):
                names[b.mapping].append(b.bank)
            if b.do == "shift":
                shifts.setdefault(b.mapping, set()).add((b.control, str(b.with_.get("bank", ""))))
        lost = {m: _banks_of(was - shifts.get(m, set())) for m, was in self._shifts.items()}
        # A bank whose key is gone would be held for ever: nothing says any more that it is let go.
        self._held = {
            m: [n for n in self._held.get(m, ()) if n in known and n not in lost.get(m, ())]
            for m, known in names.items()
        }
        self._names, self._shifts = names, shifts
        for mapping, known in names.items():
            if self._latched.get(mapping) not in known:
                shifted = _banks_of(shifts.get(mapping, set()))
                latched = [n for n in known if n not in shifted]
                self._latched[mapping] = latched[0] if latched else None

    def current(self, mapping: str) -> str | None:
        """The bank that is live in a mapping; None where it has none."""
        held = self._held.get(mapping)
        return held[-1] if held else self._latched.get(mapping)

    def is_live(self, binding: Binding) -> bool:
        return binding.bank is None or self.current(binding.mapping) == binding.bank

    def choose(self, name: str, mapping: str | None = None) -> None:
        """Latch a bank by name, or the `next` or `previous` one; in every mapping that has it where `mapping` is None.

        Raises Refused where no mapping has it."""
        found = False
        for m, known in self._names.items():
            if mapping is not None and m != mapping:
                continue
            latched = self._latched[m]
            at = known.index(latched) if latched is not None else -1
            if name in (NEXT, PREVIOUS):
                self._latched[m] = known[(at + (1 if name == NEXT else -1)) % len(known)]
            elif name in known:
                self._latched[m] = name
            else:
                continue
            found = True
        if not found:
            all_names = sorted({n for known in self._names.values() for n in known})
            raise Refused(f"no bank is called {name}; there is {', '.join(all_names) or 'none'}")

    def hold(self, name: str, on: bool, mapping: str | None = None) -> None:
        """A shift key is pressed (`on`) or let go. Raises Refused where no mapping has that bank."""
        found = False
        for m, known in self._names.items():
            if (mapping is None or m == mapping) and name in known:
                found = True
                self._held[m] = [n for n in self._held[m] if n != name] + ([name] if on else [])
        if not found:
            raise Refused(f"no bank is called {name}")

    def let_go(self) -> None:
        """No bank is held any more; what is latched stays."""
        self._held = {m: [] for m in self._names}


def _banks_of(shifts: Iterable[tuple[Control, str]]) -> set[str]:
    return {bank for _, bank in shifts}
