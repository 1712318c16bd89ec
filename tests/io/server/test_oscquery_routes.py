"""OSCQuery at the show's door: the tree for programs, the page for browsers, LISTEN over a WebSocket."""

import json

import pytest
from clavilux.io.osc_packet import Message, encode, parse
from clavilux.io.server import oscquery_routes
from starlette.websockets import WebSocketDisconnect


def test_programs_get_the_namespace_and_browsers_the_page(stage, visit):
    client = visit()
    stage.step()
    assert client.get("/", headers={"accept": "text/html"}).headers["content-type"].startswith("text/html")
    tree = client.get("/", headers={"accept": "application/json"}).json()
    assert tree["CONTENTS"]["clavilux"]["CONTENTS"]["noise_scale"]["VALUE"] == [1.0]
    info = client.get("/?HOST_INFO", headers={"accept": "text/html"}).json()
    assert info["OSC_TRANSPORT"] == "UDP"
    assert client.get("/clavilux/noise_scale?VALUE").json() == {"VALUE": [1.0]}
    assert client.get("/clavilux/noise_scal").status_code == 404
    assert client.get("/clavilux/panic?VALUE").status_code == 204


def test_listen_over_a_websocket(stage, visit, monkeypatch):
    monkeypatch.setattr(oscquery_routes, "_TELL_EVERY", 0.001)
    stage.step()
    with visit().websocket_connect("ws://127.0.0.1:8000/") as talk:
        talk.send_text(json.dumps({"COMMAND": "LISTEN", "DATA": "/clavilux/delta"}))
        assert parse(talk.receive_bytes()) == Message("/clavilux/delta", (1.0,))
        talk.send_bytes(encode(Message("/clavilux/noise_scale", (0.25,))))
        stage.desk.play({"delta": 0.5})
        while stage.router.state.target("noise_scale") != 0.25:
            stage.step()
        assert parse(talk.receive_bytes()) == Message("/clavilux/delta", (0.5,))


def test_a_slider_hears_neither_its_old_value_nor_its_own(stage, visit, monkeypatch):
    monkeypatch.setattr(oscquery_routes, "_TELL_EVERY", 0.001)
    stage.step()
    with visit().websocket_connect("ws://127.0.0.1:8000/") as talk:
        for name in ("noise_scale", "delta"):
            talk.send_text(json.dumps({"COMMAND": "LISTEN", "DATA": f"/clavilux/{name}"}))
            talk.receive_bytes()
        talk.send_bytes(encode(Message("/clavilux/noise_scale", (0.25,))))
        # Its answer comes when what was sent before it has arrived, and news have been looked for.
        talk.send_text(json.dumps({"COMMAND": "LISTEN", "DATA": "/clavilux/hue"}))
        assert parse(talk.receive_bytes()) == Message("/clavilux/hue", (0.0,))
        stage.step()
        stage.desk.play({"delta": 0.5})
        stage.step()
        assert parse(talk.receive_bytes()) == Message("/clavilux/delta", (0.5,))


def test_a_foreign_page_may_not_listen(visit):
    with pytest.raises(WebSocketDisconnect) as turned_away:
        visit().websocket_connect("ws://127.0.0.1:8000/", headers={"origin": "http://evil.example"}).__enter__()
    assert "evil.example" in turned_away.value.reason
