"""The state of every parameter: where it is going, where it is, and who moved it last."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from .events import Event
from .ipadapters import IPADAPTERS, changed
from .notices import Notices
from .parameters import Coerced, Parameter, Refused, aliased
from .rows import RowsRefused
from .smoothing import NONE, Motion, Smoothing, fade_within
from .steplist import clamped, fits, rescaled
from .table import GROWING, MOST_LORAS, Table, knob_of, knobs, lora_name


class State:
    """Values of all parameters. Continuous ones are Motions, the rest change at once.

    `opening` holds the show's first values (already coerced); `smoothing` overrides a parameter's own.
    """

    def __init__(
        self,
        table: Table,
        notices: Notices,
        opening: Mapping[str, Any] | None = None,
        smoothing: Mapping[str, Smoothing] | None = None,
    ) -> None:
        self.table = table
        self._notices = notices
        self._motions: dict[str, Motion] = {}
        self._values: dict[str, Any] = {}
        self.owners: dict[str, object] = {}
        # The event that is being played, and who wants to know what it set: whoever sent it is not told again.
        self.cause: Event | None = None
        self.hearing: Callable[[Event, str, Any], None] | None = None
        override = smoothing or {}
        start = {p.name: p.default for p in table.values() if p.alias_of is None}
        for name, value in (opening or {}).items():
            p = table[name]
            coerced = p.coerce(value).value
            start[p.alias_of or name] = aliased(coerced) if p.alias_of else coerced
            # What is given as nothing (a journal names every parameter) takes nobody's place.
            for other in p.replaces if coerced is not None else ():
                start[other] = table[other].default if other == "seed" else None
        if start.get("t_index_list"):
            asked, steps = start["t_index_list"], start["num_inference_steps"]
            start["t_index_list"] = clamped(asked, steps)
            if start["t_index_list"] != tuple(asked):
                notices.say("opening:t_index_list", fits(asked, start["t_index_list"], steps))
        self.opening: Mapping[str, Any] = start
        self._override = override
        self._own: dict[str, Smoothing] = {}
        # The file of the LoRA that a name stands for; raises Refused where it stands for none.
        self.lora_file: Callable[[str], str] = lambda name: name
        # Raises Refused for a file that may not be named.
        self.admit_file: Callable[[str], object] = lambda name: None
        # Who wants to know that there are more parameters than before: the router.
        self.grown: Callable[[], None] | None = None
        for name, value in start.items():
            self._begin(table[name], value)
        for name in GROWING:
            self._grow(name, start.get(name))

    def _begin(self, p: Parameter, value: Any) -> None:
        if not p.continuous:
            self._values[p.name] = value
            return
        lo, hi = p.span()
        own = Smoothing("slew", p.slew) if p.slew else NONE
        self._motions[p.name] = Motion(value, self._override.get(p.name, own), hi - lo)
        self._own[p.name] = self._override.get(p.name, Smoothing("slew", p.slew or 1.0))

    def _grow(self, name: str, value: Any) -> list[tuple[Parameter, float | None]]:
        """A knob for each entry of a list that has none yet. Those of entries that are gone stay, and move nothing."""
        found = knobs(name, value)
        self._add([p for p, _ in found if p.name not in self._motions])
        return found

    def bring(self, names: Iterable[str]) -> None:
        """The knobs of these names, where they are not there yet: what they move may come later."""
        missing = [knob_of(name) for name in dict.fromkeys(names) if name not in self.table]
        self._add([p for p in missing if p is not None])

    def add(self, parameters: Iterable[Parameter]) -> None:
        """These parameters, where they are not there yet, each at its default."""
        self._add([p for p in parameters if p.name not in self.table])

    def _add(self, new: Sequence[Parameter]) -> None:
        self.table.grow(*new)
        for p in new:
            self._begin(self.table[p.name], p.default)
        if new and self.grown is not None:
            self.grown()

    def set(self, p: Parameter, value: Any, t: float, owner: object, smooth: Smoothing | None = None) -> str | None:
        """Move `p` towards `value` from moment `t` on; the note says what was clamped. Raises Refused."""
        coerced = self._whole(p, p.coerce(value))
        if p.kind == "paths":
            for file in coerced.value:
                self.admit_file(file)
        if p.alias_of is not None:
            target = self.table[p.alias_of]
            self.set(target, aliased(coerced.value), t, owner)
            return coerced.note
        name = p.name
        if name in self._motions:
            self._motions[name].to(coerced.value, t, smooth or self._own[name])
            self._turn_lora(name, coerced.value)
        else:
            was = self._values[name]
            if p.kind == "scales":
                coerced = self._merged(was, coerced)
            self._values[name] = coerced.value
            for other in p.replaces:
                # A seed has always a value; a list that is replaced is gone.
                if self.table[other].default is None:
                    self._values[other] = None
            if name in ("num_inference_steps", "t_index_list"):
                coerced = self._fit_steps(name, coerced, was)
        if name in GROWING:
            self._move_knobs(name, self._values[name], t, owner)
        self.owners[name] = owner
        if self.hearing is not None and self.cause is not None and self.cause.sender is not None:
            self.hearing(self.cause, name, self.target(name))
        return coerced.note

    def _whole(self, p: Parameter, coerced: Coerced) -> Coerced:
        """A message that says a part of what an IP-Adapter is changes the one that is there."""
        if p.name != IPADAPTERS or coerced.value is None:
            return coerced
        try:
            return Coerced(changed(self._values[IPADAPTERS], coerced.value), coerced.note)
        except RowsRefused as e:
            raise Refused(f"{IPADAPTERS} {e}") from None

    def _merged(self, was: tuple[tuple[str, float], ...], coerced: Coerced) -> Coerced:
        """Scales by path: those that are named anew move where they stand, the others stay, new ones come last. Raises
        Refused where no name stands for a LoRA."""
        rows, wrong, good = dict(was), [], 0
        for name, scale in coerced.value:
            try:
                rows[name if name in rows else self._row_of(name, rows)] = scale
                good += 1
            except Refused as e:
                wrong.append(str(e))
        if wrong and not good:
            raise Refused("; ".join(wrong))
        notes = [*([coerced.note] if coerced.note else []), *wrong]
        return Coerced(tuple(rows.items()), "; ".join(notes) or None)

    def _row_of(self, name: str, rows: Collection[str]) -> str:
        file = self.lora_file(name)
        for row in rows:
            if file == row or file == self._file_of(row):
                return row
        if len(rows) >= MOST_LORAS:
            raise Refused(f"{name} is left out: at most {MOST_LORAS} LoRAs have a knob")
        return name

    def _file_of(self, row: str) -> str:
        try:
            return self.lora_file(row)
        except Refused:  # the show brought it from elsewhere: it goes by its own path
            return row

    def _move_knobs(self, name: str, value: Any, t: float, owner: object, seconds: float = 0.0) -> None:
        """Each knob goes where the list that brought it says, over `seconds` where it is given them."""
        for p, goal in self._grow(name, value):
            if goal is not None:
                knob = self.table[p.name]
                lo, hi = knob.span()
                motion, goal = self._motions[knob.name], min(max(goal, lo), hi)
                way = fade_within(seconds, goal - motion.at(t), knob.slew) if seconds > 0 else self._own[knob.name]
                motion.to(goal, t, way)
                self.owners[knob.name] = owner

    def _turn_lora(self, knob: str, scale: float) -> None:
        """A LoRA's knob and its place in lora_scales are one."""
        rows = self._values["lora_scales"]
        for i, (path, was) in enumerate(rows):
            if lora_name(i) == knob and was != scale:
                self._values["lora_scales"] = (*rows[:i], (path, scale), *rows[i + 1 :])

    def _fit_steps(self, changed: str, coerced: Coerced, was: Any) -> Coerced:
        """Keep t_index_list inside the timestep table, whichever of the two changed from `was`."""
        steps, asked = self._values["num_inference_steps"], self._values["t_index_list"]
        if not asked:
            return coerced
        if changed == "num_inference_steps" and self._values["t_index_rescale"]:
            fitted = rescaled(asked, was, steps)
        else:
            fitted = clamped(asked, steps)
        if fitted == asked:
            return coerced
        self._values["t_index_list"] = fitted
        note = fits(asked, fitted, steps)
        return Coerced(coerced.value, f"{coerced.note}; {note}" if coerced.note else note)

    def target(self, name: str) -> Any:
        """Where `name` is going."""
        motion = self._motions.get(name)
        return motion.target if motion is not None else self._values[name]

    def at(self, t: float) -> dict[str, Any]:
        """Every value at moment `t`."""
        values = dict(self._values)
        for name, motion in self._motions.items():
            values[name] = motion.at(t)
        values["lora_scales"] = self.lora_rows(values)
        return values

    def limit(self, name: str) -> float | None:
        """The fastest that a continuous parameter may move, in its units a second; None: at once, if asked to."""
        own = self._own[name]
        return own.a if own.kind == "slew" else None if own.kind == "none" else self.table[name].slew

    def lora_rows(self, values: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """The rows as their knobs stand; the very same once all have arrived."""
        rows = self._values["lora_scales"]
        now = []
        for i, (path, scale) in enumerate(rows):
            lo, hi = self.table[lora_name(i)].span()
            # Beyond the knob's reach it is the list alone that counts.
            now.append((path, values[lora_name(i)] if lo <= scale <= hi else scale))
        return rows if tuple(now) == rows else tuple(now)

    def fade(self, p: Parameter, value: Any, t: float, owner: object, seconds: float) -> None:
        """Move `p` to `value` over `seconds`, never faster than its slew allows; what does not glide changes at once.
        Raises Refused."""
        knob = self._motions.get(p.name)
        if knob is None:
            self.set(p, value, t, owner)
            if p.name == "lora_scales" and seconds > 0:
                self._move_knobs(p.name, self._values[p.name], t, owner, seconds)
            return
        goal = p.coerce(value).value
        smooth = fade_within(seconds, goal - knob.at(t), p.slew) if seconds > 0 else None
        self.set(p, goal, t, owner, smooth)

    def look(self) -> dict[str, Any]:
        """Where every parameter that is a part of the look is going: what a preset holds. LoRAs by their path alone:
        the place of one, and the knob of that place, is another one's in the next show."""
        by_place = {lora_name(i) for i in range(MOST_LORAS)}
        names = [p.name for p in self.table.values() if p.look and p.alias_of is None and p.tier != "rebuild"]
        names = [name for name in names if name not in by_place]
        return {name: value for name in names if (value := self.target(name)) is not None}

    def open_again(self, t: float, owner: object) -> None:
        """Every parameter on its way back to the show's opening value."""
        for name, value in self.opening.items():
            if name in self._motions:
                self._motions[name].to(value, t, self._own[name])
            else:
                self._values[name] = value
            self.owners[name] = owner
        for name in GROWING:
            self._move_knobs(name, self.opening.get(name), t, owner)

    def refuse(self, who: str, error: Refused) -> None:
        """Say why a value was not taken, at a limited rate."""
        self._notices.say(f"refused:{who}", f"{who}: {error}")

    def remark(self, who: str, note: str | None) -> None:
        """Say what was changed in a value that was taken."""
        if note:
            self._notices.say(f"note:{who}", f"{who}: {note}", logging.INFO)
