"""The ffmpeg that speaks SRT, with programs of our own in its place."""

import sys
import threading

import pytest
from clavilux.io import ffmpeg_pipe

from .waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts")

# Both complain at every kilobyte, as ffmpeg does of time stamps that it does not like: 200 kB of words in all.
TAKES = """
while piece := sys.stdin.buffer.read(1024):
    print("x" * 90, file=sys.stderr, flush=True)
print("\\nthe last word.", file=sys.stderr)
sys.exit(3)
"""
GIVES = """
for _ in range(2000):
    sys.stdout.buffer.write(bytes(1024))
    print("x" * 100, file=sys.stderr, flush=True)
print("\\nthe last word.", file=sys.stderr)
"""
SILENT = "sys.exit(4)"


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    def make(text: str) -> None:
        script = tmp_path / "ffmpeg"
        script.write_text(f"#!{sys.executable}\nimport sys\n{text}")
        script.chmod(0o755)
        monkeypatch.setattr(ffmpeg_pipe, "program", lambda: str(script))

    return make


def in_time(work) -> bool:
    """Whether it was done in time; it is not waited for any longer."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_a_program_that_complains_all_the_time_does_not_stand_still(stand_in):
    stand_in(TAKES)
    pipe = ffmpeg_pipe.Pipe("srt://nowhere", out=True)
    assert pipe.words() == ""
    done = in_time(lambda: [pipe.stream.write(bytes(1024)) for _ in range(2200)])
    if not done:
        pipe._process.kill()
    assert done
    pipe.close()
    assert pipe.words() == "the last word"


def test_what_comes_in_does_not_stand_still_either(stand_in):
    stand_in(GIVES)
    pipe = ffmpeg_pipe.Pipe("srt://nowhere", out=False)
    got = bytearray()
    done = in_time(lambda: [got.extend(piece) for piece in iter(lambda: pipe.stream.read(65536), b"")])
    if not done:
        pipe._process.kill()
    assert done
    assert len(got) == 2000 * 1024
    assert until(lambda: pipe.words() == "the last word")
    pipe.close()


def test_one_that_says_nothing_is_told_by_its_number(stand_in):
    stand_in(SILENT)
    pipe = ffmpeg_pipe.Pipe("srt://nowhere", out=False)
    assert until(lambda: pipe.words() == "it ended with 4")
    pipe.close()
