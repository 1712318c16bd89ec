"""The server under real peers: how long a page waits, and what many peers cost.

    python bench/server.py [--browser] [--repeats 20]
    python bench/server.py --churn 300 --peers 20

A show of one trivial model runs in a process of its own; its source draws the time of day into every picture (16 bits
in a 4x4 grid), which is read back from the decoded video. Prints medians: offer to first decoded frame, data-channel
message to changed pixel, capture to decoded picture. `--browser` asks a Chromium instead of aiortc. `--churn` lets
peers come and go, and prints of the show before, meanwhile and after: frame rate, threads, files, resident memory, what
of it is in use and what the allocator keeps for later, peers not let go of yet, visits, and offers turned away.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

SIDE, GRID, FPS = 256, 4, 30.0
SPAN = 1 << (GRID * GRID)


class Clockwork:
    """A source that draws milliseconds of the day, modulo 65,536, as black and white squares."""

    name, fps, live = "clockwork", FPS, True

    def __init__(self) -> None:
        self._n = 0

    def open(self) -> None: ...
    def close(self) -> None: ...
    def seek(self, n: int) -> None: ...

    def read(self):
        from clavilux.engine.core.frame import Frame

        stamp = int(time.time() * 1000) % SPAN
        bits = np.array([stamp >> k & 1 for k in range(GRID * GRID)], np.uint8).reshape(GRID, GRID) * 255
        plane = bits.repeat(SIDE // GRID, 0).repeat(SIDE // GRID, 1)
        self._n += 1
        return Frame(np.ascontiguousarray(plane[:, :, None].repeat(3, 2)), self._n, 0.0)


def serve(port: int) -> None:
    """The show: the source's picture, its upper edge blue while `seed` is odd."""
    import threading

    from clavilux.configs import Show
    from clavilux.configs.show import Osc, Server
    from clavilux.engine.app import Performance
    from clavilux.engine.brush import Brush
    from clavilux.engine.serving import Serve
    from clavilux.engine.show_parts import Parts

    threading.Thread(target=tell_memory, name="memory", daemon=True).start()

    def brush(self, synchronous):
        def paint(pixels, snapshot):
            painted = np.zeros((SIDE, SIDE, 3), np.uint8) if pixels is None else pixels.copy()
            painted[: SIDE // GRID // 2, :, 2] = 255 * (snapshot["seed"] % 2)
            return painted

        return Brush(paint, {}, lambda: None)

    Parts.brush = brush
    Parts.source = lambda self: Clockwork()
    osc, server = Osc(port=0), Server(port=port)
    show = Show(sinks=("null",), size=(SIDE, SIDE), fps=FPS, osc=osc, server=server)
    with Performance(show, serve=Serve()) as performance:
        # As `clavilux run` does.
        gc.collect()
        gc.freeze()
        performance.run(threading.Event())


def tell_memory() -> None:
    """Answer each line on stdin with MB that are in use, MB the allocator keeps for later, and peers not yet let go of;
    `settle` collects what Python left to its garbage collector, and gives free memory back, before that."""
    import ctypes

    from aiortc import RTCPeerConnection

    fields = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    layout = type("mallinfo2", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in fields.split()]})
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = layout
    for line in sys.stdin:
        if line.strip() == "settle":
            gc.collect()
            libc.malloc_trim(0)
        found = libc.mallinfo2()
        peers = sum(isinstance(thing, RTCPeerConnection) for thing in gc.get_objects())
        print(json.dumps({
            "in use": found.uordblks + found.hblkhd >> 20, "kept free": found.fordblks >> 20, "peers": peers,
        }), flush=True)  # fmt: skip


def age(plane: np.ndarray) -> float:
    """Milliseconds since the time that is drawn into a decoded picture; `plane` is green, (SIDE, SIDE)."""
    side = SIDE // GRID
    bits = plane.reshape(GRID, side, GRID, side)[:, 16:-16, :, 16:-16].mean((1, 3)).ravel() > 127
    stamp = sum(int(bit) << k for k, bit in enumerate(bits))
    return (time.time() * 1000 - stamp) % SPAN


class Client:
    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1/webrtc/offer"
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.pc.createDataChannel("parameters")
        self.opened = asyncio.Event()
        self.channel.on("open", self.opened.set)
        self.tracks: list = []
        self.pc.on("track", self.tracks.append)
        self.pc.addTransceiver("video", "recvonly")

    async def connect(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = {"sdp": self.pc.localDescription.sdp, "type": "offer"}
        async with httpx.AsyncClient(timeout=30) as http:
            answer = (await http.post(self.url, json=offer)).raise_for_status().json()
        self.session = answer["sessionId"]
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        await asyncio.wait_for(self.opened.wait(), 30)

    def fall_silent(self) -> None:
        """Send nothing from now on, not even a farewell: the machine was closed, or carried out of reach."""
        for end in (self.pc.sctp, *self.pc.getReceivers()):
            for protocol in end.transport.transport._connection._protocols:
                protocol.transport.sendto = lambda *packet: None

    async def picture(self) -> np.ndarray:
        return (await asyncio.wait_for(self.tracks[0].recv(), 30)).to_ndarray(format="rgb24")


async def measure(url: str, repeats: int) -> dict[str, list[float]]:
    """Milliseconds by what was measured, through aiortc."""
    found: dict[str, list[float]] = {"offer to first frame": [], "message to pixel": [], "capture to picture": []}
    for _ in range(3):
        client = Client(url)
        began = time.perf_counter()
        await client.connect()
        await client.picture()
        found["offer to first frame"].append((time.perf_counter() - began) * 1000)
        for k in range(repeats):
            for _ in range(5):
                found["capture to picture"].append(age((await client.picture())[:, :, 1]))
            began = time.perf_counter()
            client.channel.send(json.dumps({"seed": k}))
            wanted = k % 2 == 1
            while ((await client.picture())[:24, :, 2].mean() > 200) != wanted:
                pass
            found["message to pixel"].append((time.perf_counter() - began) * 1000)
        await client.pc.close()
    return found


BROWSER = """async ([grid, repeats, span]) => {
  const found = { "offer to first frame": [], "capture to picture": [] };
  for (let n = 0; n < 3; n += 1) {
    const began = performance.now();
    const pc = new RTCPeerConnection();
    const channel = pc.createDataChannel("parameters");
    const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
    document.body.replaceChildren(video);
    pc.ontrack = ({ streams }) => { video.srcObject = streams[0]; };
    pc.addTransceiver("video", { direction: "recvonly" });
    await pc.setLocalDescription(await pc.createOffer());
    const { sdp, type } = pc.localDescription;
    const offer = { method: "POST", body: JSON.stringify({ sdp, type }) };
    const answer = await (await fetch("/api/v1/webrtc/offer", offer)).json();
    pc.onicecandidate = ({ candidate }) => candidate && fetch(`/api/v1/webrtc/offer/${answer.sessionId}`,
      { method: "PATCH", body: JSON.stringify({ candidates: [candidate.toJSON()] }) });
    await pc.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const frame = () => new Promise((done) => video.requestVideoFrameCallback(done));
    await frame();
    found["offer to first frame"].push(performance.now() - began);
    for (let k = 0; k < repeats * 5; k += 1) {
      await frame();
      context.drawImage(video, 0, 0, 64, 64);
      const now = Date.now();
      const pixels = context.getImageData(0, 0, 64, 64).data;
      let stamp = 0;
      for (let i = 0; i < grid * grid; i += 1) {
        const [x, y] = [(i % grid) * 16 + 8, Math.floor(i / grid) * 16 + 8];
        if (pixels[4 * (y * 64 + x) + 1] > 127) stamp += 2 ** i;
      }
      found["capture to picture"].push((now - stamp + 1e6 * span) % span);
    }
    pc.close();
  }
  return found;
}"""


def ask_browser(url: str, repeats: int) -> dict[str, list[float]]:
    from playwright.sync_api import sync_playwright

    quiet = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        page = browser.new_page()
        page.goto(f"{url}/docs")
        found = page.evaluate(BROWSER, [GRID, repeats, SPAN])
        browser.close()
    return found


def vitals(show: subprocess.Popen, word: str = "now") -> dict[str, int]:
    """Threads, open files and memory of the show's process (Linux): resident MB, and what `tell_memory` says."""
    proc = Path("/proc") / str(show.pid)
    assert show.stdin is not None
    assert show.stdout is not None
    show.stdin.write(f"{word}\n".encode())
    show.stdin.flush()
    told = json.loads(show.stdout.readline())
    resident = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    return {
        "threads": len(list((proc / "task").iterdir())),
        "files": len(list((proc / "fd").iterdir())),
        "MB": resident,
        **told,
    }


async def churn(url: str, show: subprocess.Popen, seconds: float, peers: int) -> None:
    """`peers` at a time come, watch a second, turn something and go: by DELETE, by hanging up, or without a word."""
    end = time.monotonic() + seconds
    visits = pictures = away = 0

    async def visit() -> None:
        nonlocal visits, pictures, away
        while time.monotonic() < end:
            client = Client(url)
            try:
                await client.connect()
            except httpx.HTTPStatusError:
                # Those who vanished without a word hold their places for half a minute.
                away += 1
                await client.pc.close()
                await asyncio.sleep(2)
                continue
            for _ in range(random.randint(5, 30)):
                await client.picture()
                pictures += 1
                client.channel.send(json.dumps({"delta": random.random()}))
            way = random.random()
            if way < 0.5:
                async with httpx.AsyncClient(timeout=30) as http:
                    await http.delete(f"{client.url}/{client.session}")
            elif way < 0.55:
                client.fall_silent()
            await client.pc.close()
            visits += 1

    async def report(word: str, memory: str = "now") -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            fps = (await http.get(f"{url}/api/v1/session/metrics")).json()["fps"]
        print(
            f"{word:10} fps {fps:5.1f}  {vitals(show, memory)}  visits {visits}  pictures {pictures}  away {away}",
            flush=True,
        )

    await report("before")
    visiting = [asyncio.create_task(visit()) for _ in range(peers)]
    while time.monotonic() < end:
        await asyncio.sleep(min(20.0, seconds / 3))
        await report("meanwhile")
    for failed in [r for r in await asyncio.gather(*visiting, return_exceptions=True) if isinstance(r, BaseException)]:
        print(f"failed: {type(failed).__name__}: {failed}")
    await asyncio.sleep(40)
    await report("after")
    await report("settled", "settle")


def main() -> None:
    options = argparse.ArgumentParser(description="The server under real peers.")
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--browser", action="store_true")
    options.add_argument("--churn", type=float, metavar="SECONDS")
    options.add_argument("--peers", type=int, default=20)
    options.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve is not None:
        serve(asked.serve)
        return
    port = random.randint(20_000, 40_000)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, __file__, "--serve", str(port)]
    show = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/health", timeout=5)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        if asked.churn:
            asyncio.run(churn(url, show, asked.churn, asked.peers))
            return
        found = ask_browser(url, asked.repeats) if asked.browser else asyncio.run(measure(url, asked.repeats))
        for what, times in found.items():
            ordered = sorted(times)
            p95 = ordered[int(len(ordered) * 0.95)]
            print(f"{what:22} median {statistics.median(times):7.1f} ms   p95 {p95:7.1f} ms   of {len(times)}")
    finally:
        show.terminate()
        show.wait()


if __name__ == "__main__":
    main()
