"""The Text DAT script, on a stand-in for TouchDesigner: what it builds, it can send, and the show takes it."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.io.osc_packet import Message, encode, parse
from clavilux.io.server.namespace import osc_paths

SCRIPT = Path(__file__).parents[2] / "docs" / "touchdesigner_clavilux.py"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("touchdesigner_clavilux", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Par(SimpleNamespace):
    def eval(self):
        return self.val


class Page:
    def __init__(self, comp, name) -> None:
        self.comp, self.name = comp, name

    def _append(self, name, label, val, pulse=False):
        # TouchDesigner's own rule, an exception there.
        assert name[0].isupper()
        assert name[1:].isalnum()
        assert name[1:] == name[1:].lower()
        par = Par(name=name, label=label, val=val, owner=self.comp, isPulse=pulse, help="")
        self.comp.customPars.append(par)
        return [par]

    def appendFloat(self, name, label):
        return self._append(name, label, 0.0)

    def appendInt(self, name, label):
        return self._append(name, label, 0)

    def appendToggle(self, name, label):
        return self._append(name, label, False)

    def appendMenu(self, name, label):
        return self._append(name, label, "")

    def appendStr(self, name, label):
        return self._append(name, label, "")

    def appendPulse(self, name, label):
        return self._append(name, label, 0, True)


class Comp:
    def __init__(self) -> None:
        self.customPages, self.customPars, self.storage, self.sent = [], [], {}, []

    def appendCustomPage(self, name):
        self.customPages.append(Page(self, name))
        return self.customPages[-1]

    def store(self, key, value):
        self.storage[key] = value

    def fetch(self, key, default):
        return self.storage.get(key, default)

    def op(self, name):
        return SimpleNamespace(sendOSC=lambda address, args: self.sent.append((address, args)))

    def par(self, name):
        return next(p for p in self.customPars if p.name == name)


def test_the_page_holds_every_parameter_and_its_values_play_the_show(script):
    comp = Comp()
    addresses = script.build(comp, rows=osc_paths())
    assert set(addresses.values()) == {p.osc for p in TABLE.values()} | {f"/clavilux/{a}" for a in TABLE.actions}
    noise = comp.par("Noisescale")
    assert (noise.min, noise.max, noise.val) == (0, 1, 1.0)
    assert comp.par("Inputmode").menuNames == ["video", "text"]
    noise.val, comp.par("Prompt").val, comp.par("Paused").val = 0.25, "a dark forest", True
    script.send_all(comp)
    script.send(comp.par("Tap"))
    notices = Notices(ManualClock())
    router = Router(notices)
    for address, args in comp.sent:
        heard = parse(encode(Message(address, tuple(args))))
        router.feed(Event(0.0, "osc", heard.address, heard.args))
    snapshot = router.sample(10.0)
    assert (snapshot["noise_scale"], snapshot["paused"]) == (0.25, True)
    assert snapshot["prompts"] == (("a dark forest", 1.0),)
    assert [t.name for t in snapshot.triggers] == ["tap"]
    assert not [n.text for n in notices.recent if n.key.startswith(("refused", "unknown"))]


def test_building_again_keeps_what_was_set(script):
    comp = Comp()
    script.build(comp, rows=osc_paths())
    comp.par("Noisescale").val = 0.4
    count = len(comp.customPars)
    script.build(comp, rows=osc_paths())
    assert comp.par("Noisescale").val == 0.4
    assert len(comp.customPars) == count
    assert len(comp.customPages) == 1
