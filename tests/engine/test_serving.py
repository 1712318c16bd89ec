"""A whole show with its server: the port, the page, the model by id, sources by name, and the end."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.configs.show import Osc, Server
from clavilux.engine import cli
from clavilux.engine.app import Performance
from clavilux.engine.brush import Brush
from clavilux.engine.core.parameters import Refused
from clavilux.engine.pipeline import ShowPipeline
from clavilux.engine.serving import Serve
from clavilux.engine.show_parts import Parts


@pytest.fixture(autouse=True)
def one_line_model(monkeypatch):
    """A grey picture as light as noise_scale says."""

    def brush(self, synchronous):
        def paint(pixels, snapshot):
            return np.full((self.show.size[1], self.show.size[0], 3), round(200 * snapshot["noise_scale"]), np.uint8)

        return Brush(paint, {}, lambda: None)

    monkeypatch.setattr(Parts, "brush", brush)


def show(tmp_path, port: int = 0, **fields) -> Show:
    given = {"source": "test-pattern", "sinks": ("null",), "size": (64, 64), "assets": str(tmp_path)}
    return Show(**(given | fields), osc=Osc(port=0), server=Server(port=port))


class Playing:
    """A show that plays on a thread."""

    def __init__(self, performance: Performance) -> None:
        self.performance = performance
        self.stop = threading.Event()
        self.thread = threading.Thread(target=performance.run, args=(self.stop,))

    @property
    def url(self) -> str:
        assert self.performance.serving is not None
        return self.performance.serving.url.rstrip("/")

    def ask(self, path: str, body=None):
        payload = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", payload, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def until(self, path: str, found):
        end = time.monotonic() + 10
        while not found(answer := self.ask(path)):
            assert time.monotonic() < end, answer
            time.sleep(0.02)
        return answer


@contextmanager
def playing(asked: Show) -> Iterator[Playing]:
    with Performance(asked, serve=Serve()) as performance:
        running = Playing(performance)
        running.thread.start()
        try:
            yield running
        finally:
            running.stop.set()
            running.thread.join()


def test_a_show_is_played_over_http_on_the_number_osc_has(tmp_path):
    with playing(show(tmp_path)) as running:
        assert running.performance.serving.port == running.performance.osc.port
        assert running.ask("/health")["status"] == "healthy"
        running.ask("/api/v1/session/parameters", {"noise_scale": 0.25})
        running.until("/api/v1/session/parameters", lambda a: a["actual"]["noise_scale"] == 0.25)
        metrics = running.until("/api/v1/session/metrics", lambda a: a["latency_ms"]["p50"] is not None)
        assert metrics["source"]["name"] == "test-pattern"
        assert [sink["name"] for sink in metrics["sinks"]] == ["null"]
        assert metrics["control_latency_ms"]["p50"] is not None


def test_sources_and_sinks_are_switched_by_message_and_what_cannot_be_is_said(tmp_path):
    with playing(show(tmp_path)) as running:
        turn = {"input_source": {"enabled": True, "source_type": "demo"}}
        running.ask("/api/v1/session/parameters", turn)
        running.until("/api/v1/session/metrics", lambda a: a["source"]["name"] == "demo")
        running.ask("/api/v1/session/parameters", {"spout_sender": {"enabled": True, "name": "ScopeOutput"}})
        said = running.until("/api/v1/session/metrics", lambda a: any("Spout" in e["text"] for e in a["errors"]))
        assert said["fps"] > 0
        running.ask("/api/v1/session/parameters", {"input_source": {"enabled": False}})
        running.until("/api/v1/session/metrics", lambda a: a["source"]["name"] == "test-pattern")


def test_what_scope_puts_before_a_model_is_left_aside_and_said():
    pipeline = ShowPipeline("embedded", (64, 64), lambda pixels, snapshot: pixels)
    assert pipeline.load(["video-depth-anything", "memflow"], {}).endswith("left aside: video-depth-anything")
    assert pipeline.status()["pipeline_id"] == "memflow"
    with pytest.raises(Refused, match="no pipeline beside gray"):
        pipeline.load(["gray"], {})
    with pytest.raises(Refused, match="there is no pipeline 'memflo'"):
        pipeline.load(["memflo"], {})


def test_pipelines_by_id(tmp_path):
    with playing(show(tmp_path)) as running:
        assert running.until("/api/v1/pipeline/status", lambda a: a["status"] == "loaded")["pipeline_id"] == "embedded"
        for name in ("streamdiffusionv2", "longlive", "passthrough", "embedded"):
            params = {"width": 512, "height": 512, "seed": 42}
            said = running.ask("/api/v1/pipeline/load", {"pipeline_ids": [name], "load_params": params})
            assert "the show keeps its size of 64x64" in said["message"]
            now = running.until("/api/v1/pipeline/status", lambda a: a["status"] == "loaded")
            assert (now["pipeline_id"], now["load_params"]) == (name, params)
        assert running.ask("/api/v1/session/parameters")["parameters"]["seed"] == 42
        schemas = running.ask("/api/v1/pipelines/schemas")["pipelines"]
        assert schemas["longlive"]["config_schema"]["properties"]["noise_scale"]["maximum"] == 1
        for body, status in (
            ({"pipeline_ids": ["sdxl"]}, 400), ({"pipeline_ids": []}, 400), ({"pipeline_ids": "longlive"}, 422),
            ({}, 422), ({"pipeline_ids": ["longlive"], "load_params": 3}, 422),
        ):  # fmt: skip
            with pytest.raises(urllib.error.HTTPError) as refused:
                running.ask("/api/v1/pipeline/load", body)
            assert refused.value.code == status


def test_passthrough_fades_to_the_input_and_back(at):
    painted, given = np.full((8, 8, 3), 200, np.uint8), np.zeros((8, 8, 3), np.uint8)
    pipeline = ShowPipeline("embedded", (8, 8), lambda pixels, snapshot: painted)
    levels = []
    for n in range(60):
        if n == 5:
            pipeline.load(["passthrough"], {})
        if n == 35:
            pipeline.load(["longlive"], {})
        levels.append(int(pipeline.render(given, at(n))[0, 0, 0]))
    assert (levels[4], levels[30]) == (200, 0)
    assert levels[59] == 200
    assert max(abs(a - b) for a, b in pairwise(levels)) <= 15
    assert int(pipeline.render(None, at(60))[0, 0, 0]) == 200


def test_what_is_loaded_is_not_searched_for_garbage_while_the_show_plays(tmp_path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(cli.gc, "freeze", lambda: told.append("freeze"))
    monkeypatch.setattr(Performance, "run", lambda *asked: told.append("run"))
    words = ["--source", "test-pattern", "--sink", "null", "--size", "64x64", "--no-server", "--port", "0"]
    assert cli.main([*words, "--assets", str(tmp_path)]) == 0
    assert told == ["freeze", "run"]


def test_a_port_that_is_taken_is_said_and_the_show_goes_on(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Performance(show(tmp_path, port), serve=Serve()) as performance:
            assert performance.run(threading.Event(), frames=3) == 3
            said = [n.text for n in performance.notices.recent]
    assert any(f"port {port} is in use" in text and "the show goes on" in text for text in said)


def test_nothing_is_left_after_a_served_show_and_it_ends_at_once(tmp_path):
    before = set(threading.enumerate())
    with playing(show(tmp_path)) as running:
        listener = urllib.request.urlopen(f"{running.url}/api/v1/session/events", timeout=10)
        assert listener.readline()
    left = set(threading.enumerate()) - before
    # Announcements and MIDI let go on threads of their own, that nobody waits for.
    assert [t.name for t in left if t.name == "server" or not t.daemon] == []
    with pytest.raises(urllib.error.URLError):
        running.ask("/health")
    listener.close()


def test_messages_that_the_system_threw_away_are_in_the_figures(tmp_path, monkeypatch):
    with playing(show(tmp_path)) as live:
        live.until("/api/v1/session/metrics", lambda m: m["frames"] > 0 and m["events_lost"] == 0)
        monkeypatch.setattr("clavilux.io.osc.dropped", lambda socket: 7)
        live.until("/api/v1/session/metrics", lambda m: m["events_lost"] == 7)
