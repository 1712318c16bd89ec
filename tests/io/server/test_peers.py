"""WebRTC as a client meets it: real peers, real sockets, real codecs."""

import asyncio
import json
import os
import threading
import time
from itertools import pairwise

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

CAT = [{"text": "A cat playing piano", "weight": 1.0}]


class Client:
    """What a page of the second seed does: a data channel, a video line, an offer, an answer."""

    def __init__(self, url: str, track=None, direction: str = "sendrecv") -> None:
        self.http = httpx.AsyncClient(base_url=f"{url}/api/v1/webrtc", timeout=10)
        self.api = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=10)
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.pc.createDataChannel("parameters", ordered=True)
        self.heard: list[dict] = []
        self.opened = asyncio.Event()
        self.tracks: list = []
        self.channel.on("open", self.opened.set)
        self.channel.on("message", lambda text: self.heard.append(json.loads(text)))
        self.pc.on("track", self.tracks.append)
        if track is not None:
            self.pc.addTransceiver(track, direction)
        else:
            self.pc.addTransceiver("video", "recvonly")
        self.session = ""

    async def connect(self, **more) -> "Client":
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = {"sdp": self.pc.localDescription.sdp, "type": "offer", **more}
        answer = (await self.http.post("/offer", json=offer)).raise_for_status().json()
        self.session = answer["sessionId"]
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        await asyncio.wait_for(self.opened.wait(), 15)
        return self

    def send(self, **message) -> None:
        self.channel.send(json.dumps(message))

    async def until(self, found, seconds: float = 10.0):
        """Wait until `found()` is something, and return it."""
        end = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < end, f"it did not come; heard {self.heard}"
            await asyncio.sleep(0.02)
        return value

    async def parameters(self) -> dict:
        return (await self.api.get("/session/parameters")).json()["parameters"]

    def told(self, **fields) -> list[dict]:
        return [m for m in self.heard if fields.items() <= m.items()]

    def knows(self, name: str):
        """What it was told last about a parameter; None if nothing."""
        told = [m["parameters"] for m in self.told(type="parameters_updated")]
        return next((parameters[name] for parameters in reversed(told) if name in parameters), None)

    def fall_silent(self) -> None:
        """Send nothing from now on, not even a farewell: the lid was closed, or the network is gone."""
        for end in (self.pc.sctp, *self.pc.getReceivers()):
            for protocol in end.transport.transport._connection._protocols:
                protocol.transport.sendto = lambda *packet: None

    async def leave(self) -> None:
        await self.pc.close()
        await self.http.aclose()
        await self.api.aclose()


def test_a_peer_sees_the_picture_and_plays_it(live):
    async def story() -> None:
        client = await Client(live.url).connect(initialParameters={"prompts": CAT, "noise_scale": 1.0, "nois": 1})
        assert (await client.parameters())["prompts"] == CAT
        await client.until(lambda: client.told(type="error", key="nois"))
        track = client.tracks[0]
        first = (await asyncio.wait_for(track.recv(), 10)).to_ndarray(format="rgb24").mean()
        assert first > 150
        client.send(noise_scale=0.0, delta="0.5", guidance_scale=99)
        await client.until(lambda: client.told(type="error", key="guidance_scale"))
        while (await asyncio.wait_for(track.recv(), 10)).to_ndarray(format="rgb24").mean() > 40:
            pass
        now = await client.parameters()
        assert (now["noise_scale"], now["delta"], now["guidance_scale"]) == (0.0, 0.5, 10.0)
        client.channel.send("{not json")
        await client.until(lambda: client.told(type="error", key=""))
        client.send(delta=1.5)
        await client.until(lambda: client.told(type="parameters_updated", parameters={"delta": 1.5}))
        await client.leave()

    asyncio.run(story())


def test_who_sends_has_an_answer_also_where_nothing_changes(live):
    async def story() -> None:
        client = await Client(live.url).connect()
        client.send(delta=1.5)
        await client.until(lambda: client.told(type="parameters_updated", parameters={"delta": 1.5}))
        client.send(delta=1.5, reset_cache=True)
        await client.until(
            lambda: client.told(type="parameters_updated", parameters={"delta": 1.5, "reset_cache": True})
        )
        live.stage.notices.say("refused:/clavilux/spout_sender", "spout_sender: there is no Spout here")
        await client.until(lambda: client.told(type="error", key="spout_sender"))
        answer = await client.http.patch(f"/offer/{client.session}", json={"candidates": [{}]})
        assert answer.status_code == 422
        answer = await client.http.patch(f"/offer/{client.session}", json={"candidates": [{"candidate": ""}]})
        assert answer.status_code == 204
        await client.leave()

    asyncio.run(story())


def test_two_peers_hear_what_the_other_one_turns_and_why_the_stream_ends(live):
    async def story() -> None:
        one, two = await Client(live.url).connect(), await Client(live.url).connect()
        one.send(delta=0.25)
        await two.until(lambda: two.told(type="parameters_updated", parameters={"delta": 0.25}))
        assert (await one.http.delete(f"/offer/{one.session}")).status_code == 204
        assert (await one.http.delete(f"/offer/{one.session}")).status_code == 204
        two.send(delta=0.5)
        await two.until(lambda: two.told(type="parameters_updated", parameters={"delta": 0.5}))
        await asyncio.to_thread(live.server.stop)
        ended = await two.until(lambda: two.told(type="stream_stopped"))
        assert ended[0]["error_message"] == "the show has ended"
        await one.leave()
        await two.leave()

    asyncio.run(story())


def test_a_session_may_be_negotiated_anew(live):
    async def story() -> None:
        client = await Client(live.url).connect()
        first = client.session
        client.pc.addTransceiver("video", "recvonly")
        await client.connect(sessionId=first)
        assert client.session == first
        await client.until(lambda: len(client.tracks) == 2)
        assert (await asyncio.wait_for(client.tracks[1].recv(), 10)).width == 64
        client.send(delta=0.75)
        await client.until(lambda: client.told(type="parameters_updated", parameters={"delta": 0.75}))
        await client.leave()

    asyncio.run(story())


def test_many_peers_at_once_all_see_the_picture_move(live):
    async def story() -> None:
        clients = await asyncio.gather(*[Client(live.url).connect() for _ in range(5)])

        async def watch(client: Client) -> list[int]:
            return [(await asyncio.wait_for(client.tracks[0].recv(), 10)).pts for _ in range(12)]

        for stamps in await asyncio.gather(*[watch(client) for client in clients]):
            gaps = [b - a for a, b in pairwise(stamps)]
            # In units of 1/90000 s: time runs forward, and no second is lost between two pictures.
            assert all(0 < gap < 90_000 for gap in gaps)
        for client in clients:
            await client.leave()

    asyncio.run(story())


def test_a_stream_that_fails_says_why_and_the_show_goes_on(live, monkeypatch):
    async def story() -> None:
        client, other = await Client(live.url).connect(), await Client(live.url).connect()
        monkeypatch.setattr("clavilux.io.server.pictures.to_yuv", lambda frame: 1 / 0)
        ended = await client.until(lambda: client.told(type="stream_stopped"))
        assert "the picture cannot be sent" in ended[0]["error_message"]
        await other.until(lambda: other.told(type="stream_stopped"))
        monkeypatch.undo()
        again = await Client(live.url).connect()
        assert (await asyncio.wait_for(again.tracks[0].recv(), 10)).width == 64
        for peer in (client, other, again):
            await peer.leave()

    asyncio.run(story())


class Camera(VideoStreamTrack):
    """A camera that films one colour."""

    def __init__(self, red: int = 250) -> None:
        super().__init__()
        self.red = red

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(width=64, height=48, format="rgb24")
        frame.planes[0].update(bytes([self.red, 10, 10] * (frame.planes[0].line_size // 3)) * 48)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Pushed:
    """Stands in for the source `webrtc`."""

    wanted = True

    def __init__(self) -> None:
        self.pictures: list = []

    def push(self, pixels) -> None:
        self.pictures.append(pixels)


def test_a_browsers_camera_is_a_source(live):
    pushed = live.stage.desk.push = Pushed()

    async def story() -> None:
        client = await Client(live.url, Camera()).connect(initialParameters={"input_mode": "video"})
        await client.until(lambda: len(pushed.pictures) > 2)
        pixels = pushed.pictures[-1]
        assert pixels.shape == (48, 64, 3)
        assert pixels[:, :, 0].mean() > 200 > 60 > pixels[:, :, 1].mean()
        assert (await client.parameters())["input_source"] == {"enabled": True, "source_type": "webrtc"}
        await client.http.delete(f"/offer/{client.session}")
        await client.until(lambda: live.stage.desk.targets()["input_source"] == {"enabled": False})
        await client.leave()

    asyncio.run(story())


def test_a_peer_may_send_and_look_at_nothing(live):
    pushed = live.stage.desk.push = Pushed()

    async def story() -> None:
        client = await Client(live.url, Camera(), "sendonly").connect()
        await client.until(lambda: len(pushed.pictures) > 2)
        assert client.tracks == []
        assert "a=sendonly" not in client.pc.remoteDescription.sdp
        assert "a=recvonly" in client.pc.remoteDescription.sdp
        client.send(delta=0.5)
        await client.until(lambda: client.knows("delta") == 0.5)
        assert (await client.parameters())["input_source"] is None, "a camera is not played before that is asked for"
        await client.leave()

    asyncio.run(story())


def test_of_two_cameras_the_newest_is_seen_and_then_the_one_before_and_a_source_chosen_meanwhile_stays(live):
    pushed = live.stage.desk.push = Pushed()
    chosen = {"enabled": True, "source_type": "demo"}

    def red() -> float:
        return pushed.pictures[-1][:, :, 0].mean() if pushed.pictures else 0.0

    async def story() -> None:
        video = {"initialParameters": {"input_mode": "video"}}
        bright = await Client(live.url, Camera(250)).connect(**video)
        await bright.until(lambda: red() > 200)
        dark = await Client(live.url, Camera(60)).connect(**video)
        await dark.until(lambda: 0 < red() < 100)
        pushed.pictures.clear()
        await dark.until(lambda: len(pushed.pictures) > 10)
        assert max(picture[:, :, 0].mean() for picture in pushed.pictures) < 100
        await dark.http.delete(f"/offer/{dark.session}")
        await bright.until(lambda: red() > 200)
        assert (await bright.parameters())["input_source"]["source_type"] == "webrtc"
        bright.send(input_source=chosen)
        await bright.until(lambda: live.stage.desk.targets()["input_source"] == chosen)
        await bright.http.delete(f"/offer/{bright.session}")
        assert live.stage.desk.targets()["input_source"] == chosen
        for client in (bright, dark):
            await client.leave()

    asyncio.run(story())


def test_of_a_peer_that_vanishes_without_a_word_nothing_is_left(live, monkeypatch):
    live.stage.desk.push = Pushed()
    # It is missed after six questions without an answer, in the field five seconds apart.
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.1)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.25)
    peers = live.server._app.state.peers

    def held() -> tuple[int, set[str]]:
        """Open files, and the threads that are no pool's."""
        files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        return files, {t.name for t in threading.enumerate() if not t.name.startswith(("asyncio", "pictures"))}

    async def story() -> None:
        await (await Client(live.url).connect()).leave()
        stays = await Client(live.url).connect()
        await stays.until(lambda: len(peers) == 1)
        files, threads = held()
        lost = await Client(live.url, Camera()).connect(initialParameters={"input_mode": "video"})
        await lost.until(lambda: live.stage.desk.push.pictures)
        assert len(peers) == 2
        lost.fall_silent()
        await lost.leave()
        assert len(peers) == 2, "it has said goodbye, and has not vanished"
        await stays.until(lambda: len(peers) == 1, 30)
        await stays.until(lambda: live.stage.desk.targets()["input_source"] == {"enabled": False})
        await stays.until(lambda: held()[0] <= files and held()[1] <= threads)
        stays.send(delta=0.25)
        await stays.until(lambda: stays.knows("delta") == 0.25)
        await stays.leave()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"sdp": "v=0", "type": "answer"}, 422),
        ({"sdp": "nonsense", "type": "offer"}, 422),
        ({"sdp": "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "type": "offer"}, 422),
        ({"sdp": 5, "type": "offer"}, 422),
        ({"sdp": "v=0" * 50_000, "type": "offer"}, 422),
        ({"sdp": "v=0\r\nm=video", "type": "offer", "initialParameters": 3}, 422),
        ({"sdp": "v=0\r\nm=video", "type": "offer", "sessionId": "nobody"}, 404),
    ],
)
def test_an_offer_that_is_none_is_refused_in_words(stage, visit, body, status):
    answer = visit().post("/api/v1/webrtc/offer", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_candidates_and_sessions_that_are_none(stage, visit):
    client = visit()
    url = "/api/v1/webrtc/offer/nobody"
    assert client.patch(url, json={"candidates": [{"candidate": ""}]}).status_code == 404
    assert client.patch(url, json={"candidates": "x"}).status_code == 422
    assert client.patch(url, json={"candidates": [{"candidate": 5}]}).status_code == 422
    assert client.patch(url, json={"candidates": [{"candidate": ""}] * 65}).status_code == 422
    assert client.delete(url).status_code == 204
    assert client.get("/api/v1/webrtc/ice-servers").json() == {"iceServers": []}


def test_candidates_may_trickle(live):
    async def story() -> None:
        client = await Client(live.url).connect()
        url = f"/offer/{client.session}"
        good = "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host"
        body = {"candidates": [{"candidate": good, "sdpMid": "0", "sdpMLineIndex": 0}, {"candidate": ""}]}
        assert (await client.http.patch(url, json=body)).status_code == 204
        for bad in ("candidate:", "candidate:1 1 udp x y z typ host", "hello"):
            answer = await client.http.patch(url, json={"candidates": [{"candidate": bad, "sdpMid": "0"}]})
            assert answer.status_code == 422, bad
        await client.leave()

    asyncio.run(story())
