"""One message of the second seed's form, read against the parameter table: what it plays, and what is wrong in it."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...engine.core.assets import asset, asset_or_folder, lora_asset
from ...engine.core.cues import CueList, read_cue
from ...engine.core.kinds import OF_ONE_SYSTEM
from ...engine.core.modulators import Modulator, envelope_of, read_hit
from ...engine.core.parameters import Parameter, Refused
from ...engine.core.plain import argument, parameter_value
from ...engine.core.presets import Repertoire, preset_name, read_recall
from ...engine.core.steplist import clamped, fits, rescaled
from ...engine.core.switches import FILE, SWITCHES, SourceSwitch, read_switch
from ...engine.core.table import Table
from ...engine.core.transition import Transition
from ..switching import remark, sink_fault, source_fault

DEEPEST, LONGEST = 12, 100_000
_MOST_KEYS = 256
STEP_KEYS = frozenset({"t_index_list", "num_inference_steps"})
# What programs written for another server send beside its parameters; none of it is a mistake, and none is played.
FOREIGN = frozenset(
    {
        "pipeline_ids", "graph", "node_id", "recording", "images", "vace_enabled", "vace_use_input_video",
        "first_frame_image", "last_frame_image", "quantize_mode", "lookahead_ms", "modulations", "ctrl_input",
        "beat_cache_reset_rate",
    }
)  # fmt: skip
# What a button without a payload is given.
_PRESSED = Parameter("a button", "bool", False, "")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a key. `harmless`: the value is right, there is only something to say about it."""

    key: str
    text: str
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """One key that is right: `value` goes to the router, `shown` is what was taken, `sets` the targets it moves."""

    key: str
    value: Any
    shown: Any
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    plays: tuple[Play, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class LorasThere:
    """The LoRAs on the model by path: all, and those whose strength moves. `live`: others come when they are named."""

    loaded: frozenset[str] = frozenset()
    movable: frozenset[str] = frozenset()
    live: bool = False


def read_message(
    message: Mapping[str, Any],
    table: Table,
    assets: Path,
    loras: LorasThere | None = None,
    repertoire: Repertoire | None = None,
    modulators: Mapping[str, Modulator] | None = None,
) -> Read:
    """Each key on its own: a bad one never costs the good ones. `transition` beats `prompts` in one message."""
    loras, repertoire = loras or LorasThere(), repertoire or Repertoire()
    plays: list[Play] = []
    faults: list[Fault] = []
    if len(message) > _MOST_KEYS:
        return Read((), (Fault("", f"a message has at most {_MOST_KEYS} keys, not {len(message)}"),))
    for key, value in message.items():
        try:
            check_plain(value)
            if key == "lora_scales":
                scales = table[key].coerce(value)
                if scales.note:
                    faults.append(Fault(key, scales.note))
                value = _moved(scales.value, assets, loras, faults)
                if not value and scales.value:
                    continue
            if key in ("preset", "cue", "store", "hit") and value is not None and value is not False:
                _check_named(key, value, repertoire, modulators or {})
            plays += _read(key, value, table, assets, faults)
        except Refused as e:
            faults.append(Fault(_short(key), str(e)))
    if any(play.key == "transition" for play in plays):
        plays = [p for p in plays if p.key not in ("prompt", "prompts", "transition")] + [
            p for p in plays if p.key == "transition"
        ]
    return Read(tuple(plays), tuple(faults))


def fitted(read: Read, now: Mapping[str, Any]) -> Read:
    """The same with a step list that lies within the timestep table, as the show will have it, and what is to be said
    of that; `now`: where the parameters go before the message, as JSON has them."""
    said = {play.key: play.shown for play in read.plays}
    asked = said.get("t_index_list")
    steps: int = said.get("num_inference_steps", now["num_inference_steps"])
    if asked is not None:
        kept = clamped(asked, steps)
    elif "num_inference_steps" in said and now.get("t_index_list"):
        asked, was = now["t_index_list"], now["num_inference_steps"]
        rescales = said.get("t_index_rescale", now.get("t_index_rescale"))
        kept = rescaled(asked, was, steps) if rescales else clamped(asked, steps)
    else:
        return read
    if list(kept) == list(asked):
        return read
    plays = []
    for play in read.plays:
        if play.key == "t_index_list":
            play = replace(play, value=list(kept), shown=list(kept))
        if play.key in ("t_index_list", "num_inference_steps"):
            play = replace(play, sets={**play.sets, "t_index_list": list(kept)})
        plays.append(play)
    fault = Fault("t_index_list", fits(asked, kept, steps), harmless=True)
    return Read(tuple(plays), (*read.faults, fault))


def _read(key: str, value: Any, table: Table, assets: Path, faults: list[Fault]) -> list[Play]:
    if key in table:
        return _read_parameter(table[key], value, table, assets, faults)
    if key in FOREIGN:
        if value is not None:
            faults.append(Fault(key, f"{key} means nothing here and is left aside", harmless=True))
        return []
    if key not in table.actions:
        near = table.nearest(key[:64]) or table.nearest(key[:64], actions=True)
        raise Refused(f"there is no parameter {_short(key)!r}" + (f"; did you mean {near}?" if near else ""))
    if not table.actions[key].takes and value is not None:
        value = _PRESSED.coerce(value).value
    if value is None or value is False:
        return []
    if key != "transition":
        return [Play(key, value, argument(value))]
    transition = Transition.parse(value)
    if transition.note:
        faults.append(Fault(key, transition.note))
    prompts = parameter_value(table["prompts"], transition.target_prompts)
    shown = {
        "target_prompts": prompts,
        "num_steps": transition.num_steps,
        "temporal_interpolation_method": transition.method,
        "easing": transition.easing,
    }
    optional = {"seconds": transition.seconds, "beats": transition.beats}
    shown |= {name: amount for name, amount in optional.items() if amount is not None}
    return [Play(key, value, shown, {"prompts": prompts})]


def _check_named(key: str, value: Any, repertoire: Repertoire, modulators: Mapping[str, Modulator]) -> None:
    """Raises Refused for what the show has not."""
    if key == "hit":
        envelope_of(read_hit(value)[0], modulators)
    elif key == "preset":
        repertoire.preset(read_recall(value)[0])
    elif key == "store":
        preset_name(read_recall(value)[0])
    else:
        CueList(repertoire.cues).place(read_cue(value)[0])


def _moved(
    scales: tuple[tuple[str, float], ...], assets: Path, loras: LorasThere, faults: list[Fault]
) -> list[dict[str, Any]]:
    """The LoRAs whose strength can be moved, by their files' paths; of the others there is something to say. Raises
    Refused for a name that stands for no file."""
    rows = [(str(lora_asset(assets, name, loras.loaded)), scale) for name, scale in scales]
    moved = [r for r in rows if r[0] in loras.movable or (loras.live and r[0] not in loras.loaded)]
    still = [Path(row[0]).name for row in rows if row not in moved]
    if still:
        words = f"lora_scales has no effect: {', '.join(still)} was not loaded with lora_merge_mode runtime_peft"
        faults.append(Fault("lora_scales", words, harmless=True))
    return [{"path": path, "scale": scale} for path, scale in moved]


def named(paths: Iterable[str], assets: Path) -> list[str]:
    """Files as messages name them: those of the assets folder by their place in it, any other by its whole path."""
    places = [Path(path) for path in paths]
    if not places:
        return []
    folder = assets.expanduser().resolve()
    return [place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place) for place in places]


def _check_switch(name: str, wanted: Any, assets: Path, faults: list[Fault]) -> None:
    """Raises Refused for a file that is not there and for what this machine cannot give: who asks over a network hears
    it in the answer. Spout and Syphon are taken everywhere, in either spelling, with a note where there is none."""
    switch = read_switch(name, wanted)
    if isinstance(switch, SourceSwitch):
        if switch.enabled and switch.kind == FILE:
            asset_or_folder(assets, switch.name)
        fault, said = source_fault(switch, assets), remark(switch)
        faulty = {switch.kind: fault} if fault is not None else {}
    else:
        faulty = {one.kind: fault for one in switch if (fault := sink_fault(one, assets)) is not None}
        said = None
    mistakes = [fault for kind, fault in faulty.items() if kind not in OF_ONE_SYSTEM]
    if mistakes:
        raise Refused(mistakes[0].rstrip(";"))
    faults += [Fault(name, words, harmless=True) for words in (*faulty.values(), *([said] if said else []))]


def _read_parameter(p: Parameter, value: Any, table: Table, assets: Path, faults: list[Fault]) -> list[Play]:
    if value is None and (p.default is not None or p.name in SWITCHES):
        # Programs that send all they know write null for what they leave alone.
        return []
    coerced = p.coerce(value)
    if coerced.note:
        faults.append(Fault(p.name, coerced.note, harmless="clamped" not in coerced.note))
    taken = coerced.value
    if p.kind == "paths":
        taken = tuple(str(asset(assets, name)) for name in taken)
        value = list(taken)
    if p.name in SWITCHES:
        _check_switch(p.name, taken, assets, faults)
    shown = named(taken, assets) if p.kind == "paths" else parameter_value(p, taken)
    stored = table[p.alias_of] if p.alias_of else p
    sets = {stored.name: parameter_value(stored, stored.coerce(taken).value) if p.alias_of else shown}
    sets |= {other: None for other in p.replaces if table[other].default is None}
    return [Play(p.name, value, shown, sets)]


def check_plain(value: Any, depth: int = 0) -> None:
    """Raises Refused for what no JSON text may carry further: NaN, infinity, half a surrogate pair, endless nesting."""
    if depth > DEEPEST:
        raise Refused("this is nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("a number is finite")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63:
        raise Refused("a number is of ordinary size")
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise Refused(f"a text has at most {LONGEST} letters")
        if not is_text(value):
            raise Refused("this text is not valid Unicode")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            check_plain(key, depth + 1)
            check_plain(inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            check_plain(inner, depth + 1)


def is_text(value: str) -> bool:
    """False for half of a surrogate pair, which no UTF-8 can carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object. Raises Refused for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as e:
        reason = e.msg if isinstance(e, json.JSONDecodeError) else "it is nested too deeply or not text"
        raise Refused(f"this is not valid JSON: {reason}") from None
    if not isinstance(found, dict):
        raise Refused("a message is a JSON object {parameter: value}")
    return found


def _short(key: str) -> str:
    text = key.encode("utf-8", "replace").decode()
    return text if len(text) <= 60 else text[:57] + "..."
