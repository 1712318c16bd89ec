"""What a night brings: sources that stall or change, receivers that go, names taken twice, and nothing left behind."""

import gc
import socket
import threading
import time
import tracemalloc

import av
import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import SourceOptions
from clavilux.engine.switchboard import Switchboard
from clavilux.io import ndi
from clavilux.io.faults import SinkFailed, SourceFailed
from clavilux.io.feed import STALLED, SourceFeed
from clavilux.io.memory import ListSource, MemorySink
from clavilux.io.ndi_sink import NdiSink
from clavilux.io.network_source import NetworkSource
from clavilux.io.sink_thread import SinkThread
from clavilux.io.sources import open_source
from clavilux.io.stream_sink import StreamSink

SIZE = (256, 192)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Hangs(ListSource):
    """A device that delivers twice and then holds its reader until it is let go."""

    def __init__(self, picture):
        super().__init__([picture], fps=None, name="camera 0", live=True)
        self.hung, self.go_on = threading.Event(), threading.Event()

    def read(self):
        if self._n >= 2 and not self.go_on.is_set():
            self.hung.set()
            self.go_on.wait(10)
        return super().read()

    def interrupt(self):
        self.go_on.set()


def test_a_source_that_stalls_is_told_once_and_its_return_too():
    clock = ManualClock()
    notices = Notices(clock)
    source = Hangs(np.zeros((8, 8, 3), np.uint8))
    feed = SourceFeed("camera:0", source, clock, notices)
    feed.start()
    assert source.hung.wait(5)
    assert feed.alive(clock.now())
    clock.advance(STALLED + 0.1)
    assert [feed.alive(clock.now()) for _ in range(5)] == [False] * 5
    assert feed.newest() is not None
    source.go_on.set()
    for _ in range(500):
        if feed.alive(clock.now()):
            break
        time.sleep(0.002)
    assert [n.text for n in notices.recent] == [
        "Source camera 0 has stalled: no new picture for 3 s; the last one is held.",
        "Source camera 0 moves again.",
    ]
    assert feed.stop()


@pytest.mark.real
def test_a_stream_that_changes_its_size_goes_on():
    port = free_port()
    source = NetworkSource(f"tcp://127.0.0.1:{port}?listen=1", SIZE, SystemClock())
    source.open()

    def send():
        """One MPEG-TS connection, whose picture changes from 256x192 grey 60 to 128x128 grey 200 in the middle."""
        link = None
        for _ in range(50):
            try:
                link = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.1)
        assert link is not None
        for size, level in ((SIZE, 60), ((128, 128), 200)):
            with av.open(_Socket(link), "w", format="mpegts") as out:
                stream = out.add_stream("libx264", rate=30, options={"tune": "zerolatency"})
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                for _ in range(30):
                    grey = np.full((size[1], size[0], 3), level, np.uint8)
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
                    time.sleep(1 / 60)
                out.mux(stream.encode(None))
        link.close()

    sender = threading.Thread(target=send)
    sender.start()
    levels = []
    try:
        while True:
            frame = source.read()
            assert frame.size == SIZE
            levels.append(int(frame.pixels[96, 128, 1]))
    except SourceFailed:
        sender.join()
        source.close()
    assert abs(levels[0] - 60) <= 4
    assert abs(levels[-1] - 200) <= 4


class _Socket:
    """A socket as the file that PyAV writes into."""

    def __init__(self, link):
        self.link = link

    def write(self, data):
        self.link.sendall(data)
        return len(data)


@pytest.mark.real
def test_a_receiver_that_goes_costs_its_own_sink_alone_and_is_found_again():
    port = free_port()
    clock = SystemClock()
    notices = Notices(clock)
    stream, other = (
        SinkThread(StreamSink(f"tcp://127.0.0.1:{port}", SIZE, 30), clock, notices),
        SinkThread(MemorySink(), clock, notices),
    )
    rng = np.random.default_rng(1)

    def play(until):
        for n in range(2000):
            if until():
                return
            frame = Frame(rng.integers(0, 256, (192, 256, 3)).astype(np.uint8), n, clock.now())
            stream.offer(frame)
            other.offer(frame)
            time.sleep(1 / 60)
        raise AssertionError([n.text for n in notices.recent])

    def receiver(server):
        link, _ = server.accept()
        assert link.recv(4096)
        return link

    with socket.create_server(("127.0.0.1", port)) as server:
        stream.start()
        other.start()
        play(lambda: stream.written > 5)
        receiver(server).close()
    play(lambda: stream.state == "lost")
    written = other.written
    with socket.create_server(("127.0.0.1", port)) as server:
        play(lambda: stream.state == "writing")
        receiver(server).close()
        assert stream.stop()
        assert other.stop()
    assert other.written > written
    assert any("takes nothing any more" in n.text and "the show goes on" in n.text for n in notices.recent)
    assert any("is back" in n.text for n in notices.recent)


@pytest.mark.real
def test_two_ndi_senders_of_one_name_are_told_apart_by_refusing_the_second(monkeypatch, tmp_path):
    pytest.importorskip("cyndilib")
    monkeypatch.setattr(ndi, "own_names", set())
    first, second = NdiSink("Twice", SIZE, 30), NdiSink("Twice", SIZE, 30)
    first.open()
    with pytest.raises(SinkFailed, match="named Twice is running here already; give this one another name"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_hundred_switches_leave_no_thread_and_no_picture_behind(tmp_path):
    clock = ManualClock()
    notices = Notices(clock)
    show = Show(size=(64, 64), assets=str(tmp_path), source_options=SourceOptions(fade=0.0))
    before = threading.active_count()
    home = open_source("test-pattern", (64, 64), 30, clock)
    board = Switchboard(show, home, [("null", MemorySink())], clock, notices)
    board.start()

    def switch(times):
        for k in range(times):
            kind = ("none", "demo", "test-pattern")[k % 3]
            board.ask("input_source", {"enabled": True, "source_type": kind})
            board.ask("output_sinks", {"null": {"enabled": k % 2 == 0}})
            board.settle()
            for _ in range(300):
                board.follow(None)
                board.next()
                if board.mixer.shown is board.source:
                    break
                time.sleep(0.001)
            board.follow(None)
            board.settle()

    switch(10)
    gc.collect()
    tracemalloc.start()
    switch(10)
    gc.collect()
    early = tracemalloc.get_traced_memory()[0]
    switch(80)
    gc.collect()
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    board.stop()
    assert late - early < 400_000
    assert len(board.state()["sources"]) <= 3
    assert threading.active_count() == before
