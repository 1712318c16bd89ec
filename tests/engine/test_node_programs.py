"""A running loop behind its real ports and server, played by programs of npm: osc, node-osc, oscquery, ws.

Where the folder that CLAVILUX_NODE_MODULES names holds them; `.ci/run` installs them where there is npm.
"""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.configs.show import Midi, Osc
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.engine.live_ports import LivePorts
from clavilux.io.server.api import build
from clavilux.io.server.desk import Desk
from clavilux.io.server.door import Door
from clavilux.io.server.heard import ListeningInbox
from clavilux.io.server.listening import Listening, listen

PROGRAMS = Path(__file__).parent / "programs"
MODULES = os.environ.get("CLAVILUX_NODE_MODULES", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(not (Path(MODULES) / "oscquery").is_dir(), reason="CLAVILUX_NODE_MODULES holds no oscquery"),
]


class Stage:
    """A loop at 100 frames a second, its ports and its server on numbers of the system's choosing."""

    def __init__(self, assets: Path) -> None:
        clock, inbox = SystemClock(), ListeningInbox()
        notices = Notices(clock)
        self.ports = LivePorts(Show(osc=Osc(0, tcp=0), midi=Midi((), ())), clock, inbox, notices)
        self.router = Router(notices, opening={"noise_scale": 1.0, "delta": 1.0})
        desk = Desk(clock=clock, inbox=inbox, notices=notices, assets=assets)
        desk.router = self.router
        loop = Loop(
            clock=clock, inbox=inbox, router=self.router, source=self, sinks=[desk], notices=notices,
            render=lambda pixels, snapshot: np.zeros((64, 64, 3), np.uint8), size=(64, 64), fps=100.0,
        )  # fmt: skip
        self.ports.open()
        self.ports.answer(loop)
        app = build(desk, Door.of("127.0.0.1"), osc_port=self.ports.osc.port)
        self.server = Listening(app, listen("127.0.0.1", 0), notices)
        self.server.start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=loop.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def next(self):
        return None

    def rests(self, *names: str) -> list:
        """Where parameters go, once everything that came has been played."""
        assert self.ports.osc.malformed == 0
        return [self.router.state.target(name) for name in names]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.server.stop()
        self.ports.close()


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.close()


def played_by(program: str, port: int):
    """What a program prints when it has played at `port`."""
    words = ["node", PROGRAMS / program, str(port)]
    done = subprocess.run(words, env=os.environ | {"NODE_PATH": MODULES}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_numbers_of_every_width_arrays_and_bundles_in_time(stage):
    heard = played_by("osc_udp.js", stage.ports.osc.port)
    assert stage.rests("noise_scale", "t_index_list", "seed", "paused", "delta") == [0.125, (3, 30), 99, True, 0.25]
    answers = [value for address, value, *_ in heard if address == "/clavilux/delta"]
    assert answers == sorted(answers, reverse=True), "1 at first, then 0.75 in its time, then 0.25"
    assert set(answers) == {1.0, 0.75, 0.25}
    own = [m for m in heard if m[0] in ("/clavilux/noise_scale", "/clavilux/seed", "/clavilux/paused")]
    assert own == [], "what it set itself it is not told"


def test_a_burst_over_tcp_and_the_answer_through_the_same_connection(stage):
    assert stage.ports.osc.tcp is not None
    heard = played_by("osc_tcp.js", stage.ports.osc.tcp)
    assert heard == [["/clavilux/noise_scale", 0.4375]]


def test_a_listener_hears_another_hand_and_not_itself(stage):
    heard = played_by("node_osc.js", stage.ports.osc.port)
    assert ["/clavilux/delta", 0.5] in heard
    assert not [m for m in heard if m[0] in ("/clavilux/noise_scale", "/clavilux/prompt", "/clavilux/prompts")]
    assert stage.rests("noise_scale", "prompts") == [0.75, (("a node forest", 1.0),)]


def test_an_oscquery_program_reads_the_namespace_and_listens(stage):
    found = played_by("oscquery.js", stage.server.port)
    assert (found["name"], found["oscPort"]) == ("Clavilux", stage.ports.osc.port)
    assert found["count"] > len(TABLE) + len(TABLE.actions)
    assert found["noise_scale"] | {"DESCRIPTION": ""} == {
        "FULL_PATH": "/clavilux/noise_scale", "DESCRIPTION": "", "ACCESS": 3, "TYPE": "f",
        "RANGE": [{"MIN": 0, "MAX": 1}], "VALUE": [1],
    }  # fmt: skip
    assert found["cfg_type"]["RANGE"] == [{"VALS": ["none", "full", "self", "initialize"]}]
    told = [(m["address"], m["args"]) for m in found["told"]]
    assert told == [("/clavilux/noise_scale", [1]), ("/clavilux/noise_scale", [0.5])]
    assert stage.rests("delta") == [0.25]
