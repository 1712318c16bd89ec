"""Who comes in: hosts, origins, tokens, sizes; each attack a test."""

import re

import pytest
from clavilux.io.server.door import Door
from clavilux.io.server.guard import LARGEST_BODY

PARAMETERS = "/api/v1/session/parameters"
LOOPBACK = Door.of("127.0.0.1")
OPEN = Door.of("192.168.1.5", token="lamp")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000", "LOCALHOST:1", "127.9.9.9"]
)
def test_a_show_answers_to_loopback_names(host):
    assert LOOPBACK.knows_host(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "192.168.1.5:8000", "", "a b", "localhost@evil.example", "[::1", "x/y"],
)
def test_a_name_that_somebody_points_here_is_turned_away(stage, visit, host):
    answer = visit().get("/health", headers={"host": host})
    assert answer.status_code in (400, 403)
    assert "does not answer to the name" in answer.json()["detail"]


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "http://127.0.0.1:8000"]
)
def test_pages_of_this_machine_may_play_with_cors(stage, visit, origin):
    answer = visit().post(PARAMETERS, json={"delta": 0.5}, headers={"origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = visit().options("/api/v1/webrtc/offer", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "content-type"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "http://localhost.evil.example", "file://", "x", "http://",
        "http://evil.example@localhost", "http://localhost:evil",
    ],
)  # fmt: skip
def test_a_page_of_anybody_else_plays_nothing(stage, visit, origin):
    answer = visit().post(PARAMETERS, json={"delta": 0.5}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert stage.desk.targets()["delta"] == 1.0


def test_an_origin_that_was_named_is_let_in(stage, visit):
    named = visit(Door.of("127.0.0.1", ("https://my.site", "null")))
    for origin in ("https://my.site", "null"):
        assert named.post(PARAMETERS, json={"delta": 0.5}, headers={"origin": origin}).status_code == 200


def test_an_open_show_asks_every_call_for_its_token(stage, visit):
    client = visit(OPEN, host="192.168.1.5:8000")
    offer = "/api/v1/webrtc/offer"
    for method, path in (("GET", "/health"), ("GET", "/"), ("POST", PARAMETERS), ("POST", offer), ("GET", "/metrics")):
        answer = client.request(method, path)
        assert answer.status_code == 401, path
        assert "token" in answer.json()["detail"]
    for wrong in ("", "lam", "lampe", "Lamp", "l\u00e4mp"):
        assert client.get("/health", headers={"authorization": f"Bearer {wrong}".encode()}).status_code == 401
    assert client.get("/health", headers={"authorization": "Bearer lamp"}).status_code == 200
    assert client.get("/health", headers={"x-clavilux-token": "lamp"}).status_code == 200
    assert client.get("/health?token=lamp").status_code == 200


def test_the_link_with_the_token_becomes_a_cookie_and_a_clean_address(stage, visit):
    client = visit(OPEN, host="192.168.1.5:8000")
    answer = client.get("/output?token=lamp&x=1", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/output?x=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/output").status_code == 200
    away = client.get("//evil.example/?token=lamp", headers={"accept": "text/html"}, follow_redirects=False)
    assert not away.headers.get("location", "/").startswith("//")


def test_a_browser_without_the_token_is_told_what_to_do_and_gets_in_by_pasting_it(stage, visit):
    client = visit(OPEN, host="192.168.1.5:8000")
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/", "/output", "/docs"):
        answer = client.get(path, headers=browser)
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/html")
        assert "scan the QR code" in answer.text
        assert 'role="alert" hidden' in answer.text
        # Nothing of the show, nor from anywhere else, is needed for it.
        assert not re.search(r"(src|href)=\"(?!data:)", answer.text)
    assert 'role="alert">' in client.get("/?token=lantern", headers=browser).text
    for pasted in ("lamp", " lamp ", "http://192.168.1.5:8000/?token=lamp"):
        answer = client.get("/output", params={"token": pasted}, headers=browser, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/output")
        client.cookies.clear()
    # Programs hear it as before.
    for headers in ({}, {"accept": "application/json"}):
        assert "token" in client.get("/", headers=headers).json()["detail"]
    assert client.post(PARAMETERS, json={}, headers=browser).json()["detail"]


def test_loopback_needs_no_token_and_a_network_always_has_one():
    assert Door.of("127.0.0.1").token is None
    assert Door.of("localhost").token is None
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        token = Door.of(host).token
        assert token is not None
        assert len(token) >= 16
    assert Door.of("0.0.0.0").knows_host("10.1.2.3:8000")
    assert not Door.of("0.0.0.0").knows_host("evil.example")


def test_a_huge_body_is_refused_whatever_its_header_says(stage, visit):
    client = visit()
    assert client.post(PARAMETERS, content=b" " * (LARGEST_BODY + 1)).status_code == 413
    pieces = (b" " * 100_000 for _ in range(20))
    assert client.post(PARAMETERS, content=pieces).status_code == 413
    assert client.post("/api/v1/webrtc/offer", content=b"x" * (LARGEST_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    "path", ["/static/../api.py", "/static/..%2fapi.py", "/static/%2e%2e/desk.py", "/static//etc/passwd", "/static/."]
)
def test_nothing_but_the_pages_own_files_is_served(stage, visit, path):
    answer = visit().get(path)
    assert answer.status_code == 404


def test_the_assets_folder_is_listed_without_what_leads_out_of_it(stage, visit, assets, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "face.jpg").write_bytes(b"x")
    (assets / "link.png").symlink_to(tmp_path / "secret.png")
    (assets / "door").symlink_to(tmp_path / "private")
    (assets / "deep").mkdir()
    for name in ("deep/mine.PNG", "ink.safetensors", "clip.mp4", "notes.txt", ".hidden.png"):
        (assets / name).write_bytes(b"four")
    found = visit().get("/api/v1/assets").json()["assets"]
    assert [(row["name"], row["type"]) for row in found] == [
        ("clip.mp4", "video"), ("deep/mine.PNG", "image"), ("ink.safetensors", "lora"),
    ]  # fmt: skip
    assert {row["size_bytes"] for row in found} == {4}


def test_files_of_messages_stay_in_the_assets_folder(stage, visit, assets, tmp_path):
    client = visit()
    (tmp_path / "secret.png").write_bytes(b"x")
    (assets / "link.png").symlink_to(tmp_path / "secret.png")
    (assets / "deep").mkdir()
    (assets / "deep" / "mine.png").write_bytes(b"x")
    for name in (
        "../secret.png",
        str(tmp_path / "secret.png"),
        "link.png",
        "/etc/passwd",
        "a\0b",
        "",
        "deep",
        "gone.png",
    ):
        answer = client.post(PARAMETERS, json={"vace_ref_images": [name]})
        assert answer.status_code == 422, name
        answer = client.post(PARAMETERS, json={"lora_scales": [{"path": name, "scale": 1.0}]})
        assert answer.status_code == 422, name
    taken = client.post(PARAMETERS, json={"vace_ref_images": ["deep/mine.png"]})
    assert taken.json()["applied_parameters"] == {"vace_ref_images": ["deep/mine.png"]}
    stage.step()
    assert stage.router.state.target("vace_ref_images") == (str(assets / "deep" / "mine.png"),)
