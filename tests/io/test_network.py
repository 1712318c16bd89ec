"""Network streams: the newest picture wins, an ended one comes back, secrets stay secret, no way to local files."""

import functools
import http.server
import socket
import threading
import time

import av
import numpy as np
import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.io.faults import SinkFailed, SourceFailed
from clavilux.io.network_source import NetworkSource, _Pace, plain
from clavilux.io.sink_thread import SinkThread
from clavilux.io.sinks import open_sink
from clavilux.io.stream_sink import StreamSink
from clavilux.io.test_pattern import TestPatternSource, read_counter

SIZE = (256, 192)


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_a_url_is_shown_without_its_secrets():
    assert plain("rtsp://admin:hunter2@10.0.0.9:554/cam1?token=x") == "rtsp://10.0.0.9:554/cam1"
    assert plain("rtmp://live.example/app/stream-key-1234") == "rtmp://live.example/app"
    assert plain("srt://10.0.0.9:9000?passphrase=x") == "srt://10.0.0.9:9000"


def played(source):
    """The counters of every picture to the end of a stream, and the words it ends with."""
    counts = []
    try:
        while True:
            counts.append(read_counter(source.read().pixels))
    except SourceFailed as e:
        return counts, str(e)


@pytest.mark.real
def test_nobody_there_is_a_fault_in_words_both_ways():
    port = free_port()
    source = NetworkSource(f"tcp://127.0.0.1:{port}", SIZE, SystemClock())
    source.open()
    with pytest.raises(SourceFailed, match=rf"tcp://127.0.0.1:{port}: Connection refused"):
        source.read()
    source.close()
    with pytest.raises(SinkFailed, match=rf"tcp://127.0.0.1:{port} cannot be reached: Connection refused"):
        StreamSink(f"tcp://127.0.0.1:{port}", SIZE, 30).open()


@pytest.mark.real
@pytest.mark.parametrize("address", ["rtmp://127.0.0.1:{}/live/show", "tcp://127.0.0.1:{}?listen=1"])
def test_while_a_stream_waits_for_the_other_side_everything_else_goes_on(address):
    """A host that takes the call and says nothing, and a receiver that has not come yet: neither stops the show."""
    listening = "listen" in address
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if listening:
            server.close()
        sink = StreamSink(address.format(port), SIZE, 30)
        clock = SystemClock()
        notices = Notices(clock)
        thread = SinkThread(sink, clock, notices)
        thread.start()
        thread.offer(TestPatternSource(SIZE, 30).read())
        link = None if listening else server.accept()[0]
        # The show, which PyAV would hold for as long as it waits.
        for _ in range(60):
            time.sleep(0.01)
        assert (thread.state, thread.written) == ("opening", 0)
        assert thread.stop(seconds=0.1)
        assert sink._program is None
        assert not notices.recent
        if link is not None:
            link.close()


@pytest.mark.real
def test_a_receiver_that_takes_nothing_is_left_when_the_show_ends():
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = StreamSink(f"tcp://127.0.0.1:{server.getsockname()[1]}", SIZE, 30)
        clock = SystemClock()
        thread = SinkThread(sink, clock, Notices(clock))
        thread.start()
        link, _ = server.accept()
        rng = np.random.default_rng(1)
        while thread.dropped < 20:
            thread.offer(Frame(rng.integers(0, 256, (192, 256, 3)).astype(np.uint8), 0, clock.now()))
            time.sleep(0.002)
        assert thread.stop(seconds=0.3)
        assert sink._program is None
        link.close()


@pytest.mark.real
def test_a_slow_show_sees_the_newest_picture_and_never_falls_behind():
    port = free_port(socket.SOCK_DGRAM)
    source = NetworkSource(f"udp://127.0.0.1:{port}", SIZE, SystemClock())
    source.open()
    sink = StreamSink(f"udp://127.0.0.1:{port}", SIZE, 30)
    sink.open()
    card = TestPatternSource(SIZE, 30)
    sent = -1

    def send(count):
        nonlocal sent
        for _ in range(count):
            frame = card.read()
            sink.write(frame)
            sent = frame.n
            time.sleep(1 / 120)

    try:
        send(60)
        first = read_counter(source.read().pixels)
        # Two seconds of stream while the show is busy with one frame.
        before = source.dropped
        send(60)
        for _ in range(1000):
            if source.dropped >= before + 57:
                break
            time.sleep(0.005)
        late = read_counter(source.read().pixels)
        left_out = source.dropped - before
    finally:
        sink.close()
        source.close()
    assert first >= 0
    assert sent - late <= 3
    assert left_out >= 50


@pytest.mark.real
def test_a_stream_that_ends_is_a_fault_and_comes_back_when_it_is_opened_again():
    port = free_port()
    source = NetworkSource(f"tcp://127.0.0.1:{port}?listen=1", SIZE, SystemClock())
    card = TestPatternSource(SIZE, 30)

    def one_connection():
        for _ in range(50):
            sink = StreamSink(f"tcp://127.0.0.1:{port}", SIZE, 30)
            try:
                sink.open()
            except SinkFailed:
                time.sleep(0.1)
                continue
            for _ in range(30):
                sink.write(card.read())
                time.sleep(1 / 60)
            sink.close()
            return

    for _ in range(2):
        source.open()
        sender = threading.Thread(target=one_connection)
        sender.start()
        n = source.read().n
        assert "has ended" in played(source)[1]
        sender.join()
        source.close()
    assert n >= 1


@pytest.mark.real
def test_a_film_behind_an_address_is_played_in_order(tmp_path):
    sink = open_sink(str(tmp_path / "film.mp4"), SIZE, 30)
    sink.open()
    card = TestPatternSource(SIZE, 30)
    for _ in range(12):
        sink.write(card.read())
    sink.close()
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = NetworkSource(f"http://127.0.0.1:{server.server_port}/film.mp4", SIZE, SystemClock())
        source.open()
        counts, end = played(source)
        source.close()
        server.shutdown()
    assert "has ended" in end
    assert counts == sorted(set(counts))
    assert counts[-1] == 11


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002
        pass


@pytest.mark.real
@pytest.mark.parametrize("far", [True, False])
def test_a_playlist_leads_to_its_own_server_and_not_to_a_file_of_this_machine(far, tmp_path):
    frames = [TestPatternSource(SIZE, 30).read().pixels] * 5
    with av.open(str(tmp_path / "part.ts"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    place = "part.ts" if far else f"file://{tmp_path}/part.ts"
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{place}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(text)
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = NetworkSource(f"http://127.0.0.1:{server.server_port}/list.m3u8", SIZE, SystemClock())
        source.open()
        counts, _ = played(source)
        source.close()
        server.shutdown()
    assert bool(counts) == far


def test_a_film_is_paced_by_the_clock_that_is_fine_on_windows_too():
    assert _Pace()._now is time.perf_counter
