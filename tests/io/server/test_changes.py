"""Server-sent events: what a listener is told."""

import asyncio
import json
import logging

from clavilux.engine.core.events import Event
from clavilux.io.server import changes as module
from clavilux.io.server.changes import Changes


def told(stage, monkeypatch, *acts) -> list[tuple[str, object]]:
    """What one listener hears when each act is followed by a look."""
    monkeypatch.setattr(module, "_TELL_EVERY", 0)
    found = []

    async def story() -> None:
        changes = Changes(stage.desk)
        stream = changes.stream()

        async def read() -> None:
            for part in (await anext(stream)).split("\n\n"):
                lines = dict(line.split(": ", 1) for line in part.splitlines())
                if "event" in lines:
                    found.append((lines["event"], json.loads(lines["data"])))

        await read()
        for act in acts:
            act()
            await read()
        changes.end()
        await stream.aclose()
        assert changes.listeners == 0

    asyncio.run(story())
    return found


def test_a_listener_hears_of_a_knob_that_is_new_before_its_value(stage, monkeypatch):
    stage.step()

    def come():
        stage.inbox.put(Event(1.0, "osc", "/clavilux/lora_scales", ("ink", 0.8)))
        stage.step()

    heard = told(stage, monkeypatch, come, lambda: None)
    names = [name for name, _ in heard]
    assert ("table", ["lora/0/scale"]) in heard
    values = dict(heard)["parameters"]
    assert values["lora/0/scale"] == 0.8
    assert names.index("table") < names.index("parameters")


def test_a_listener_hears_everything_once_and_then_what_changes(stage, monkeypatch):
    stage.step()
    osc = Event(1.0, "osc", "/clavilux/delta", (1.75,))
    heard = told(stage, monkeypatch, lambda: stage.desk.play({"noise_scale": 0.5}), lambda: stage.inbox.put(osc))
    assert heard[0][0] == "hello"
    assert heard[0][1]["parameters"]["noise_scale"] == 1.0
    assert ("parameters", {"noise_scale": 0.5}) in heard
    lines = [line for name, rows in heard if name == "activity" for line in rows]
    wanted = {"port": "api", "address": "/clavilux/noise_scale", "value": "0.5", "plays": ["noise_scale"]}
    (played,) = [line for line in lines if line["port"] == "api"]
    assert wanted.items() <= played.items()
    assert played["args"] == 0.5
    assert played["hits"] == [{"by": wanted["address"], "what": "noise_scale", "value": 0.5, "asleep": None}]


def test_faults_are_told_in_words(stage, monkeypatch):
    stage.step()

    def fail() -> None:
        stage.clock.advance(0.1)
        stage.notices.say("sink:x", "Output lost: the disk is full")

    heard = told(stage, monkeypatch, fail)
    rows = [row for name, rows in heard if name == "notices" for row in rows]
    assert [(row["text"], row["level"]) for row in rows] == [("Output lost: the disk is full", logging.WARNING)]
