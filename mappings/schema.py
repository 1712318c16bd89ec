"""The shape of a mapping file: what a row may say, and what is said about one that cannot be."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from ..engine.core.banks import NEXT, PREVIOUS
from ..engine.core.bindings import (
    CONTROL_KINDS,
    ENCODINGS,
    MODES,
    TAKEOVERS,
    Binding,
    BindingSet,
    Control,
    ControlKind,
    Light,
)
from ..engine.core.cues import read_cue
from ..engine.core.curves import linear, parse_curve
from ..engine.core.documents import Node, Page
from ..engine.core.modulators import read_hit
from ..engine.core.parameters import Parameter, Refused
from ..engine.core.patterns import is_pattern, matcher
from ..engine.core.presets import read_recall
from ..engine.core.sections import Section, finite, nearest, shown
from ..engine.core.smoothing import parse_smoothing
from ..engine.core.table import Table, knob_of
from ..engine.core.transition import Transition

ROW_KEYS = (
    *CONTROL_KINDS, "channel", "device", "universe", "arg", "in", "to", "do", "with", "range", "curve", "smooth",
    "takeover", "mode", "value", "bank", "encoding", "steps", "acceleration", "light",
)  # fmt: skip
# The lowest and highest number of each kind; what needs none is True.
NUMBERS = {
    "cc": (0, 127), "cc14": (0, 31), "nrpn": (0, 16383), "rpn": (0, 16383), "note": (0, 127), "program": (0, 127),
    "relative": (0, 127), "aftertouch": (0, 127), "dmx": (1, 512),
}  # fmt: skip
MAY_BE_TRUE = ("pitchbend", "aftertouch", "program")
# Keys that say where a control is, by the kinds that have such a place.
PLACES = {"channel": "midi", "device": "midi", "universe": "dmx", "arg": "osc"}
NUMERIC = ("float", "int")
# What a knob's number cannot stand for.
NO_NUMBER = ("string", "prompts", "paths", "scales", "object")
PLAIN_ACTIONS = ("panic", "tap", "reset_cache")
BANK_ACTIONS = ("bank", "shift")
# What reads the payload of an action; each raises Refused.
_READERS: dict[str, Callable[[Any], object]] = {
    "transition": Transition.exact, "preset": read_recall, "store": read_recall, "cue": read_cue,
    "hit": read_hit,
}  # fmt: skip


def read_mapping(page: Page, root: Node, table: Table, origin: str = "") -> BindingSet:
    """The mapping that `root` describes; mistakes are noted on the page."""
    top = Section(page, root, what="a mapping (version, name, bindings)")
    version = top.whole("version", 1)
    if version != 1:
        top.say("version", f"is 1 in this Clavilux, not {version}")
    name = top.name("name", PurePath(page.file).stem)
    rows: tuple[Node, ...] = ()
    node = top.require("bindings", "the list of rows, `bindings:` and a `- ` for each row")
    if node is not None and isinstance(node.content, tuple):
        rows = node.content
    elif node is not None:
        top.say("bindings", f"takes a list of rows, each beginning with `- `, not {shown(node)}")
    top.close()
    read: list[_Row] = []
    bindings: list[Binding] = []
    for node in rows:
        read.append(_Row(page, node, table))
        binding = read[-1].read()
        if binding is not None:
            bindings.append(binding)
    _check_banks(bindings, read)
    return BindingSet(name, tuple(bindings), origin)


def _check_banks(bindings: list[Binding], rows: list["_Row"]) -> None:
    """Note every bank that is asked for and has no rows."""
    known = list(dict.fromkeys(b.bank for b in bindings if b.bank is not None))
    for row in rows:
        name = row.chooses
        if name is not None and name not in known and not (known and name in (NEXT, PREVIOUS)):
            there = f"there is {', '.join(known)}{nearest(name, known)}" if known else "no row has a `bank`"
            row.section.say("with", f"no row is in bank {name}; {there}")


class _Row:
    """One row on its way to a Binding."""

    def __init__(self, page: Page, node: Node, table: Table) -> None:
        self.table = table
        self.before = len(page.mistakes)
        self.section = Section(page, node, what="a row of key: value")
        self.is_row = isinstance(node.content, dict)
        self.where = f"{PurePath(page.file).name}:{node.line}"
        self.page = page
        self.chooses: str | None = None

    def read(self) -> Binding | None:
        """The binding, or None when the row has a mistake."""
        if not self.is_row:
            if self.before == len(self.page.mistakes):
                self.page.say(self.section.line, "", "an empty row")
            return None
        s = self.section
        control = self._control()
        to, do, flips = self._target()
        p = self._parameter(to) if to else None
        mode, value = self._mode(p, do, flips)
        binding = Binding(
            control=control or Control("cc"),
            to=to,
            do=do,
            with_=self._payload(do, control),
            range=self._range(p),
            input=s.pair("in"),
            curve=self._curve(p),
            smooth=self._smooth(p),
            takeover=self._takeover(p),
            mode=mode,
            value=value,
            bank=s.name("bank"),
            mapping=PurePath(self.page.file).name,
            **self._encoder(control),
            light=self._light(control),
            where=self.where,
        )
        if control is not None and control.kind != "osc" and p is not None and p.kind in NO_NUMBER and mode != "set":
            s.say("to", f"{p.name} takes no number, and {control} sends one; use `mode: set` with a `value`")
        s.close(ROW_KEYS)
        return binding if self.before == len(self.page.mistakes) else None

    # -- what moves ------------------------------------------------------------------------------------------

    def _control(self) -> Control | None:
        s = self.section
        kinds: list[ControlKind] = [k for k in CONTROL_KINDS if k in s]
        for k in kinds:
            s.take(k)
        channel = s.whole("channel", None, 1, 16)
        device = s.name("device")
        universe = s.whole("universe", None, 0, 63999)
        arg = s.whole("arg", 0, 0, 1023)
        if not kinds:
            near = nearest(next(iter(s.left()), ""), CONTROL_KINDS)
            s.say("", f"the row does not say what moves: one of {', '.join(CONTROL_KINDS)}{near}")
            return None
        if len(kinds) > 1:
            s.say(kinds[1], f"the row has {' and '.join(kinds)}; one row is one control")
            return None
        kind = kinds[0]
        family = kind if kind in ("osc", "dmx") else "midi"
        for key, of in PLACES.items():
            if key in s and of != family:
                s.say(key, f"means nothing for {kind}; leave it out")
        if kind == "osc":
            address = self._address()
            return None if address is None else Control("osc", address=address, arg=arg)
        known, number = self._number(kind)
        return Control(kind, number, channel=channel, device=device, universe=universe) if known else None

    def _number(self, kind: ControlKind) -> tuple[bool, int | None]:
        """(is it right?, the control's number or None for any)"""
        s = self.section
        node = s.take(kind)
        assert node is not None
        if kind not in NUMBERS or (kind in MAY_BE_TRUE and isinstance(node.content, bool)):
            if node.content is not True:
                s.say(kind, f"has no number; write `{kind}: true`")
            return node.content is True, None
        value = finite(node)
        if kind == "note" and isinstance(node.content, str) and value is None:
            s.say(kind, f"takes a number 0..127, not {shown(node)} (makers disagree which C3 is)")
            return False, None
        number = s.whole(kind, None, *NUMBERS[kind])
        return number is not None, number

    def _address(self) -> str | None:
        s = self.section
        address = s.text("osc")
        if address is None:
            return None
        if not address.startswith("/"):
            s.say("osc", f"an address begins with /, as in /{address}")
        elif any(c in " #" or not c.isprintable() for c in address):
            s.say("osc", f"{address!r}: an address has no spaces and no #")
        elif len(address) > 256 or address.count("*") > 8:
            s.say("osc", "the address is longer, or has more *, than is ever matched (256 characters, 8 *)")
        elif is_pattern(address) and matcher(address) is None:
            s.say("osc", f"{address}: a bracket is opened and not closed")
        else:
            return address
        return None

    # -- what is played --------------------------------------------------------------------------------------

    def _target(self) -> tuple[str | None, str | None, bool]:
        """(parameter, action, does the row turn an on/off parameter over?)"""
        s, table = self.section, self.table
        to, do = s.text("to"), s.text("do")
        if "to" in s and "do" in s:
            s.say("do", "a row has `to` (a parameter) or `do` (an action), not both")
        elif "to" not in s and "do" not in s:
            s.say("", "the row does not say what it plays: `to: <parameter>` or `do: <action>`")
        if to is not None and self._parameter(to) is None:
            if to in table.actions:
                s.say("to", f"{to} is an action; write `do: {to}`")
            else:
                s.say_of("to", to, f"no such parameter{self._near(to)}")
            to = None
        if do is None or do in table.actions:
            return to, do, False
        if do in table and table[do].kind == "bool":
            # `do: blackout`: what is on or off is turned over.
            return do, None, True
        if do in table:
            s.say("do", f"{do} is a parameter; write `to: {do}`")
        else:
            s.say_of("do", do, f"no such action{nearest(do, table.actions)}")
        return to, None, False

    def _parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, or the knob of a ControlNet, an IP-Adapter, a LoRA or a modulator, which may come
        later."""
        return self.table.get(name) or knob_of(name)

    def _near(self, name: str) -> str:
        near = self.table.nearest(name)
        return f"; did you mean {near}?" if near else "; `clavilux params` lists them"

    def _payload(self, do: str | None, control: Control | None) -> dict[str, Any]:
        s = self.section
        node = s.take("with")
        if node is None:
            if do == "transition" and control is not None and control.kind != "osc":
                s.say("do", "transition needs `with: {target_prompts: ...}`: a MIDI control carries no text")
            if do in BANK_ACTIONS and control is not None and control.kind != "osc":
                s.say("do", f"{do} needs `with: {{bank: <name>}}`")
            if do in ("preset", "store") and control is not None and control.kind != "osc":
                s.say("do", f"{do} needs `with: {{preset: <name>}}`: a {control.kind} carries no text")
            if do == "hit" and control is not None and control.kind != "osc":
                s.say("do", f"hit needs `with: {{modulator: <name>}}`: a {control.kind} carries no text")
            return {}
        if do is None:
            if "do" not in s:
                s.say("with", "goes with `do` only")
            return {}
        if do in PLAIN_ACTIONS:
            s.say("with", f"{do} takes nothing; leave it out")
            return {}
        if not isinstance(node.content, dict):
            s.say("with", f"takes a group of keys, not {shown(node)}")
            return {}
        payload = node.plain()
        if do in BANK_ACTIONS:
            return self._chosen_bank(do, node)
        if do in _READERS:
            try:
                _READERS[do](payload)
            except Refused as e:
                for text in e.texts:
                    s.say("with", text.removeprefix(f"{do}: "))
        return payload

    def _chosen_bank(self, do: str, node: Node) -> dict[str, Any]:
        inner = Section(self.page, node, "with")
        name = inner.name("bank")
        if name is None and "bank" not in inner:
            inner.say("", f"{do} takes {{bank: <name>}}")
        inner.close()
        if do == "shift" and name in (NEXT, PREVIOUS):
            inner.say("bank", f"a shift key holds one bank; {name} is for `do: bank`")
        else:
            self.chooses = name
        return {} if name is None else {"bank": name}

    def _mode(self, p: Parameter | None, do: str | None, flips: bool) -> tuple[Any, Any]:
        s = self.section
        default = "toggle" if flips else "set" if "value" in s else "momentary"
        mode = s.word("mode", MODES, default)
        node = s.take("value")
        if do is not None:
            if mode in ("toggle", "set"):
                s.say("mode", f"{mode} is for parameters; an action just happens")
            return mode, None
        if node is not None and mode != "set":
            s.say("value", f"goes with `mode: set`, not with {mode}")
            return mode, None
        if p is None:
            return mode, None
        numeric = p.kind in (*NUMERIC, "bool")
        if mode in ("toggle", "trigger") and not numeric:
            s.say("mode", f"{mode} needs a parameter with a number or on and off; {p.name} has neither; use set")
        if mode == "set" and node is None and not numeric:
            s.say("mode", f"set needs a `value` for {p.name}")
        return mode, None if node is None else self._value(p, node)

    def _value(self, p: Parameter, node: Node) -> Any:
        try:
            taken = p.coerce(node.plain())
        except Refused as e:
            self.section.say("value", str(e))
            return None
        if taken.note:
            self.section.say("value", taken.note.replace("clamped to", "is out of range; the nearest is"))
        return taken.value

    # -- how it moves ----------------------------------------------------------------------------------------

    def _range(self, p: Parameter | None) -> tuple[float, float] | None:
        s = self.section
        found = s.pair("range")
        if "range" not in s or p is None:
            return found
        if p.kind not in NUMERIC:
            s.say("range", f"{p.name} is no number; it has no range")
            return None
        lo, hi = p.span()
        if found is not None and not (lo <= min(found) and max(found) <= hi):
            s.say("range", f"[{found[0]:.10g}, {found[1]:.10g}] is outside {p.name}'s range {lo:.10g}..{hi:.10g}")
        return found

    def _curve(self, p: Parameter | None) -> Any:
        node = self.section.take("curve")
        if node is None:
            return linear
        try:
            curve = parse_curve(node.plain())
        except Refused as e:
            for text in e.texts:
                self.section.say("curve", text.removeprefix("curve "))
            return linear
        if curve is not linear and p is not None and p.kind not in (*NUMERIC, "choice"):
            self.section.say("curve", f"{p.name} is no number; it has no curve")
        return curve

    def _smooth(self, p: Parameter | None) -> Any:
        node = self.section.take("smooth")
        if node is None:
            return None
        try:
            smooth = parse_smoothing(node.plain())
        except Refused as e:
            for text in e.texts:
                self.section.say("smooth", text.removeprefix("smooth "))
            return None
        if smooth.kind != "none" and p is not None and not p.continuous:
            self.section.say("smooth", f"{p.name} does not glide; it changes at once")
        return smooth

    def _encoder(self, control: Control | None) -> dict[str, Any]:
        """What a row of a relative encoder says about its detents."""
        s = self.section
        for key in ("encoding", "steps", "acceleration"):
            if key in s and control is not None and control.kind != "relative":
                s.say(key, f"is for relative encoders, and this row is {control.kind}")
        return {
            "encoding": s.word("encoding", ENCODINGS, ENCODINGS[0]),
            "steps": s.number("steps", 128.0, 1, 100_000),
            "acceleration": s.number("acceleration", 1.0, 1, 100),
        }

    def _light(self, control: Control | None) -> Light | None:
        """What the controller is sent back; `light: false` is nothing."""
        s = self.section
        node = s.take("light")
        if node is None or node.content is True:
            return Light()
        if control is not None and control.kind in ("osc", "dmx"):
            s.say("light", f"is for MIDI controllers; {control.kind} has no lamp")
            return None
        if node.content is False:
            return None
        inner = Section(self.page, node, "light", "false, or a group of cc or note, channel, off, on")
        if "cc" in inner and "note" in inner:
            inner.take("note")
            inner.say("note", "a light is a cc or a note, not both")
        kind = "cc" if "cc" in inner else "note" if "note" in inner else None
        found = Light(
            kind,
            inner.whole(kind, None, 0, 127) if kind else None,
            inner.whole("channel", None, 1, 16),
            inner.whole("off", 0, 0, 127),
            inner.whole("on", 127, 0, 127),
        )
        inner.close(("cc", "note"))
        return found

    def _takeover(self, p: Parameter | None) -> Any:
        takeover = self.section.word("takeover", TAKEOVERS, "jump")
        if takeover != "jump" and p is not None and p.kind not in NUMERIC:
            self.section.say("takeover", f"{p.name} is no number; there is nothing to take over")
        return takeover
