"""The card out through every real sink and in again through its source: upright, not mirrored, in true colours."""

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.shape import Shape, SinkOptions, SourceOptions
from clavilux.io.faults import SinkFailed, SourceFailed
from clavilux.io.sinks import open_sink
from clavilux.io.sources import open_source

SIZE = (256, 192)
LOSSY = 35.0


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def came_through(card, got, psnr, least):
    """Upright, not mirrored, with the right range: black is black and white is white."""
    assert got.shape == card.shape
    assert psnr(card, got) >= least
    for wrong in (got[::-1], got[:, ::-1], got[::-1, ::-1]):
        assert psnr(card, wrong) < 20
    assert got[44, 48].min() >= 250
    assert got[44, 206].max() <= 5


@pytest.mark.parametrize(
    ("name", "least"), [("card.mp4", LOSSY), ("card.mkv", LOSSY), ("card.gif", 27.0), ("card/", 99.0)]
)
def test_files_and_folders(name, least, tmp_path, soft_card, psnr):
    sink = open_sink(str(tmp_path) + "/" + name, SIZE, 30)
    sink.open()
    for n in range(5):
        sink.write(Frame(soft_card, n, n / 30))
    sink.close()
    source = open_source(str(tmp_path / name), SIZE, 30, ManualClock())
    source.open()
    frames = [source.read().pixels for _ in range(5)]
    source.close()
    for got in frames:
        came_through(soft_card, got, psnr, least)


class Feed:
    """Writes the card to a sink at some 30 frames a second, again and again from the start when it fails."""

    def __init__(self, sink, card):
        self.sink, self.card = sink, card
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        n = 0
        while not self.halt.is_set():
            try:
                self.sink.open()
                while not self.halt.wait(1 / 30):
                    self.sink.write(Frame(self.card, n, n / 30))
                    n += 1
            except SinkFailed:
                self.halt.wait(0.2)
        self.sink.close()

    def stop(self):
        self.halt.set()
        self.thread.join(10)


def receive(source, count):
    """`count` pictures, however often the source has to be opened for them."""
    got = []
    for _ in range(3):
        try:
            while len(got) < count:
                got.append(source.read().pixels)
            return got
        except SourceFailed:
            source.close()
            source.open()
    raise AssertionError(f"{source.name}: only {len(got)} pictures came")


@pytest.mark.real
@pytest.mark.parametrize("scheme", ["udp", "tcp", "srt", "rtmp"])
def test_network_streams(scheme, soft_card, psnr):
    if scheme == "srt":
        pytest.importorskip("imageio_ffmpeg")
    port = free_port(socket.SOCK_STREAM if scheme in ("tcp", "rtmp") else socket.SOCK_DGRAM)
    listening = {"udp": "", "tcp": "?listen=1", "srt": "?mode=listener", "rtmp": "?listen=1"}[scheme]
    url = f"{scheme}://127.0.0.1:{port}" + ("/live/show" if scheme == "rtmp" else "")
    source = open_source(url + listening, SIZE, 30, SystemClock())
    source.open()
    feed = Feed(open_sink(url, SIZE, 30), soft_card)
    try:
        came_through(soft_card, receive(source, 12)[-1], psnr, LOSSY)
    finally:
        source.close()
        feed.stop()


@pytest.mark.real
@pytest.mark.parametrize("address", ["rtsp://127.0.0.1:{}/show?listen=1", "rtmp://127.0.0.1:{}/live/show?listen=1"])
def test_a_sender_that_comes_to_us(address, tmp_path):
    """ffmpeg is the program on the other side: a still of its own test card is what must arrive."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    url = address.format(free_port())
    source = open_source(url, SIZE, 30, SystemClock())
    source.open()
    kind = ["-rtsp_transport", "tcp", "-f", "rtsp"] if url.startswith("rtsp") else ["-f", "flv"]
    made = ["-re", "-f", "lavfi", "-i", "smptebars=size=256x192:rate=30", "-pix_fmt", "yuv420p"]
    coded = ["-c:v", "libx264", "-tune", "zerolatency", "-g", "15"]
    # The listener takes a moment to stand: the sender asks again until it does.
    words = [ffmpeg, "-loglevel", "quiet", *made, *coded, *kind, url.partition("?")[0]]
    sender = subprocess.Popen(words)
    try:
        for _ in range(10):
            time.sleep(0.3)
            if sender.poll() is None:
                break
            sender = subprocess.Popen(words)
        got = receive(source, 8)[-1]
    finally:
        source.close()
        sender.kill()
        sender.wait()
    # 75% bars, left to right: grey, yellow, cyan, green, magenta, red, blue.
    bars = [got[40, round((k + 0.5) * 256 / 7)].round(-1).tolist() for k in range(7)]
    wanted = [(180,) * 3, (180, 180, 16), (16, 180, 180), (16, 180, 16), (180, 16, 180), (180, 16, 16), (16, 16, 180)]
    assert np.abs(np.array(bars, float) - np.array(wanted)).max() <= 26


_SENDER = """
    import sys, time
    import numpy as np
    from clavilux.engine.core.frame import Frame
    from clavilux.io.sinks import open_sink

    card = np.load(sys.argv[1])
    sink = open_sink("ndi:Pair", (256, 192), 30)
    sink.open()
    for n in range(900):
        sink.write(Frame(card, n, n / 30))
        time.sleep(1 / 30)
"""


@pytest.mark.real
def test_ndi_from_another_process_is_found_by_name_and_missed_when_it_goes(tmp_path, soft_card, psnr):
    pytest.importorskip("cyndilib")
    (tmp_path / "ndi-config.v1.json").write_text('{"ndi":{"machinename":"TEST","networks":{"ips":"127.0.0.1,"}}}')
    np.save(tmp_path / "card.npy", soft_card)
    environment = {**os.environ, "NDI_CONFIG_DIR": str(tmp_path)}
    words = [sys.executable, "-c", textwrap.dedent(_SENDER), str(tmp_path / "card.npy")]
    receiver = [sys.executable, "-c", textwrap.dedent(_RECEIVER), str(tmp_path / "got.npy")]
    sender = subprocess.Popen(words, env=environment)
    try:
        told = subprocess.Popen(receiver, env=environment, stdout=subprocess.PIPE, text=True)
        assert told.stdout is not None
        assert told.stdout.readline().strip() == "NDI TEST (Pair)"
        assert told.stdout.readline().strip() == "received"
    finally:
        sender.kill()
        sender.wait()
    rest, _ = told.communicate(timeout=60)
    came_through(soft_card, np.load(tmp_path / "got.npy"), psnr, LOSSY)
    assert "NDI TEST (Pair) sends nothing" in rest


_RECEIVER = """
    import sys, time
    import numpy as np
    from clavilux.engine.core.clock import SystemClock
    from clavilux.io.faults import SourceFailed
    from clavilux.io.sources import open_source

    source = open_source("ndi:pair", (256, 192), 30, SystemClock())
    got = []
    for _ in range(60):
        try:
            source.open()
            got = [source.read().pixels for _ in range(5)]
            break
        except SourceFailed:
            time.sleep(0.2)
    print(source.name, flush=True)
    np.save(sys.argv[1], got[-1])
    print("received", flush=True)
    try:
        while True:
            source.read()
    except SourceFailed as e:
        print(e, flush=True)
    source.close()
"""


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", ["none", "horizontal", "vertical", "both"])
def test_a_picture_turned_on_the_way_out_is_turned_back_on_the_way_in(rotate, mirror, tmp_path, soft_card):
    turned_size = (192, 256) if rotate % 180 else SIZE
    out = SinkOptions(shape=Shape(rotate=rotate, mirror=mirror), size=turned_size)
    sink = open_sink(f"{tmp_path}/", SIZE, 30, out)
    sink.open()
    sink.write(Frame(soft_card, 0, 0.0))
    sink.close()
    # Mirrored pictures turn the other way round.
    back = rotate if mirror in ("horizontal", "vertical") else -rotate % 360
    options = SourceOptions(shape=Shape(rotate=back, mirror=mirror))
    source = open_source(str(tmp_path), SIZE, 30, ManualClock(), options=options)
    source.open()
    assert np.array_equal(source.read().pixels, soft_card)
