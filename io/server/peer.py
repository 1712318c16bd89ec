"""One WebRTC peer: it watches the picture, plays over the data channel, and may send its camera."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.codecs import h264, vpx
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame

from ...engine.core.frame import Frame
from ...engine.core.parameters import Refused
from .desk import Desk
from .message import Fault, parse_object
from .pictures import Pictures

log = logging.getLogger("clavilux")

LARGEST_MESSAGE = 65_536
# aiortc begins at half a megabit a second, which is little for a picture that is new in every pixel of every frame.
_FIRST_BITRATE, _HIGHEST_BITRATE = 2_000_000, 8_000_000
MOST_CANDIDATES = 256
_FULL = 262_144
_STILL_EVERY = 0.5
_TELL_EVERY = 0.05
_CAMERA = {"input_source": {"enabled": True, "source_type": "webrtc"}}
_NO_CAMERA = {"input_source": {"enabled": False}}


def raise_bitrates() -> None:
    """Let pictures begin sharp; what the network cannot carry is still lowered by the receiver's reports."""
    codecs: list[Any] = [h264, vpx]
    for codec in codecs:
        codec.DEFAULT_BITRATE, codec.MAX_BITRATE = _FIRST_BITRATE, _HIGHEST_BITRATE


raise_bitrates()


class PictureTrack(MediaStreamTrack):
    """The show's picture as a track: each new frame once; a picture that stands is repeated twice a second."""

    kind = "video"

    def __init__(self, desk: Desk, pictures: Pictures, failed: Callable[[str], None]) -> None:
        super().__init__()
        self._desk = desk
        self._pictures = pictures
        self._failed = failed
        self._last: Frame | None = None
        self._stamp = -1

    async def recv(self) -> VideoFrame:
        """The next frame to encode. Raises MediaStreamError once the track has ended."""
        try:
            while self.readyState == "live":
                video = await self._next()
                if video is not None and video.pts is not None and video.pts > self._stamp:
                    self._stamp = video.pts
                    return video
        except Exception as e:
            # The edge of the track: what aiortc would swallow here is the reason the peer is to hear.
            log.debug("picture track", exc_info=True)
            self._failed(f"the picture cannot be sent: {type(e).__name__}: {e}")
        raise MediaStreamError

    async def _next(self) -> VideoFrame | None:
        frame = await self._pictures.newer(self._last, _STILL_EVERY)
        if frame is None:
            return None
        stands, self._last = frame is self._last, frame
        return await self._pictures.video(frame, self._desk.clock.now() if stands else frame.t)


class Peer:
    """A peer from its first offer to its end; `gone` is called once when it ends by itself.

    `cameras` are the peers of the show that send pictures, in the order they came; the newest is looked at.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        pictures: Pictures,
        ice_servers: list[dict[str, Any]],
        cameras: list["Peer"],
        gone: Callable[[], None],
    ) -> None:
        self.name = name
        self._desk = desk
        self._pictures = pictures
        self._cameras = cameras
        self._gone = gone
        # An empty list, not None: None would ask a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[RTCIceServer(**s) for s in ice_servers]))
        self._channels: list[RTCDataChannel] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[Fault] = []
        self._candidates = 0
        self._camera = False
        self._plays_camera = False
        self._ended = False
        self._failing: asyncio.Future[None] | None = None
        self._pc.on("datachannel", self._meet)
        self._pc.on("track", self._watch)
        self._pc.on("connectionstatechange", self._follow_state)

    @property
    def state(self) -> str:
        """new, connecting, connected, failed or closed."""
        return self._pc.connectionState

    async def answer(self, sdp: str, first: Mapping[str, Any] | None = None) -> RTCSessionDescription:
        """The answer to an offer, the first or a later one. `first` is played at once. Raises what aiortc raises for an
        offer that is none."""
        if first:
            # The camera of a peer that says its input is video is meant to be painted.
            self._camera = self._camera or first.get("input_mode") == "video"
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self._pc.getTransceivers():
            sends = transceiver.kind == "video" and transceiver.sender.track is None
            # aiortc keeps the offer's direction as seen from our side.
            if sends and transceiver._offerDirection in ("sendonly", "sendrecv"):
                transceiver.sender.replaceTrack(PictureTrack(self._desk, self._pictures, self._fail_soon))
                transceiver.direction = transceiver._offerDirection
        answer = await self._pc.createAnswer()
        if answer is None:
            raise ValueError("this offer cannot be answered")
        await self._pc.setLocalDescription(answer)
        if first:
            self._waiting += self._desk.play(first, self.name).faults
        return self._pc.localDescription

    async def add_candidate(self, text: str, mid: str | None, line: int | None) -> None:
        """Take a trickled candidate; an empty one says there are no more. Raises ValueError for what is none."""
        self._candidates += 1
        if self._candidates > MOST_CANDIDATES:
            raise ValueError(f"a peer has at most {MOST_CANDIDATES} candidates")
        text = text.removeprefix("a=").strip()
        if not text:
            await self._pc.addIceCandidate(None)
            return
        if not text.startswith("candidate:"):
            raise ValueError("a candidate begins with candidate:")
        try:
            candidate = candidate_from_sdp(text.removeprefix("candidate:"))
        except (ValueError, IndexError, AssertionError, KeyError):
            raise ValueError("this is no candidate of ICE") from None
        if mid is None and line is None:
            line = 0
        candidate.sdpMid, candidate.sdpMLineIndex = mid, line
        await self._pc.addIceCandidate(candidate)

    async def close(self, reason: str | None = None) -> None:
        """Say why the stream ends, if there is a reason, and end it. Fine to call twice."""
        if self._ended:
            return
        self._ended = True
        if reason is not None and any(c.readyState == "open" for c in self._channels):
            self._tell({"type": "stream_stopped", "error_message": reason})
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        await self._pc.close()
        if self._plays_camera and not self._cameras and self._camera_is_wanted():
            self._desk.play(_NO_CAMERA, self.name)

    def _camera_is_wanted(self) -> bool:
        """False when somebody has turned to another source meanwhile: that is not taken back."""
        turned = self._desk.targets().get("input_source") or {}
        return turned.get("source_type") == _CAMERA["input_source"]["source_type"]

    def _meet(self, channel: RTCDataChannel) -> None:
        """The peer has opened a data channel."""
        self._channels.append(channel)
        channel.on("message", self._hear)
        channel.on("close", lambda: self._channels.remove(channel) if channel in self._channels else None)
        for fault in self._waiting:
            self._tell_fault(fault)
        self._waiting = []
        if len(self._channels) == 1:
            self._begin(self._tell_changes())

    def _hear(self, message: str | bytes) -> None:
        """Play one message; what is wrong in it is answered, and the channel stays open."""
        if len(message) > LARGEST_MESSAGE:
            self._tell_fault(Fault("", f"a message has at most {LARGEST_MESSAGE} letters"))
            return
        try:
            found = parse_object(message)
        except Refused as e:
            self._tell_fault(Fault("", str(e)))
            return
        before = self._desk.standing(found)
        answer = self._desk.play(found, self.name)
        for fault in answer.faults:
            self._tell_fault(fault)
        # What changes is told with everything else that does; what stays as it is, or is an action, only here: whoever
        # waits for an answer has one.
        now = self._desk.standing(found)
        same = {key: now.get(key, value) for key, value in answer.applied.items() if now.get(key) == before.get(key)}
        if same:
            self._tell({"type": "parameters_updated", "parameters": same})

    def _tell_fault(self, fault: Fault) -> None:
        self._tell({"type": "error", "key": fault.key, "message": fault.text})

    def _tell(self, message: Mapping[str, Any]) -> None:
        text = json.dumps(message)
        for channel in self._channels:
            # A peer that does not read loses messages, not our memory.
            if channel.readyState == "open" and channel.bufferedAmount < _FULL:
                channel.send(text)

    async def _tell_changes(self) -> None:
        """Tell the peer what others turn, and the show's faults, as long as it is there."""
        known = self._desk.targets()
        heard = self._desk.clock.now()
        while True:
            await asyncio.sleep(_TELL_EVERY)
            now = self._desk.targets()
            if now is not known:
                changed = {name: value for name, value in now.items() if value != known.get(name)}
                known = now
                if changed:
                    self._tell({"type": "parameters_updated", "parameters": changed})
            for notice in self._desk.warnings_after(heard):
                heard = notice.t
                self._tell_fault(Fault(self._desk.concerns(notice), notice.text))

    def _watch(self, track: MediaStreamTrack) -> None:
        """The peer sends a track: its pictures are the source `webrtc`; what nobody wants is thrown away."""
        self._begin(self._take_pictures(track) if track.kind == "video" else _take_nothing(track))

    async def _take_pictures(self, track: MediaStreamTrack) -> None:
        if self._camera:
            self._plays_camera = True
            self._desk.play(_CAMERA, self.name)
        self._cameras.append(self)
        try:
            while True:
                frame = await track.recv()
                push = self._desk.push
                if push is None or not isinstance(frame, VideoFrame):
                    continue
                if push.wanted and self._cameras[-1] is self:
                    push.push(await asyncio.to_thread(frame.to_ndarray, format="rgb24"))
        except MediaStreamError:
            return
        finally:
            self._cameras.remove(self)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)

    def _end_task(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)  # type: ignore[arg-type]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The edge of a peer: a fault of ours ends its stream with a reason, and nobody else's.
            log.debug("peer %s", self.name, exc_info=error)
            self._fail_soon(f"a fault of the server: {type(error).__name__}")

    def _fail_soon(self, reason: str) -> None:
        self._failing = asyncio.ensure_future(self._fail(reason))

    async def _fail(self, reason: str) -> None:
        await self.close(reason)
        self._gone()

    async def _follow_state(self) -> None:
        if self._pc.connectionState in ("failed", "closed") and not self._ended:
            await self.close()
            self._gone()


async def _take_nothing(track: MediaStreamTrack) -> None:
    while True:
        try:
            await track.recv()
        except MediaStreamError:
            return
