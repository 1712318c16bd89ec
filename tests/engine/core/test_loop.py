"""The loop: what is on the wall, frame by frame, told as plain lists."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.frame import Frame, Mailbox
from clavilux.engine.core.journal import Journal, read_frames, read_header
from clavilux.engine.core.loop import Loop, NewestInput
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.pacing import Budget, Pacer
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE

SIZE = (8, 4)


def flat(level: int, n: int = 0) -> Frame:
    return Frame(np.full((SIZE[1], SIZE[0], 3), level, np.uint8), n, 0.0)


class Wall:
    """A sink that remembers."""

    def __init__(self):
        self.frames: list[Frame] = []

    def offer(self, frame: Frame) -> None:
        self.frames.append(frame)

    @property
    def levels(self) -> list[int]:
        return [int(f.pixels[0, 0, 0]) for f in self.frames]


class Show:
    """A loop on a manual clock whose model paints noise_scale as a grey level, or whatever `render` says."""

    def __init__(self, render=None, journal=None, **opening):
        self.clock = ManualClock()
        self.notices = Notices(self.clock)
        self.inbox, self.mailbox, self.wall = Inbox(), Mailbox(), Wall()
        self.router = Router(self.notices, opening=opening)
        self.loop = Loop(
            clock=self.clock, inbox=self.inbox, router=self.router, source=NewestInput(self.mailbox),
            render=render or self.paint, sinks=[self.wall], notices=self.notices, size=SIZE, fps=10, journal=journal,
        )  # fmt: skip

    def paint(self, pixels, snapshot):
        return flat(round(snapshot["noise_scale"] * 200)).pixels

    def send(self, address, *args, t=None):
        self.inbox.put(Event(self.clock.now() if t is None else t, "osc", address, args))

    def play(self, frames):
        return self.loop.run(threading.Event(), frames=frames)

    @property
    def said(self):
        return [n.text for n in self.notices.recent]


def test_a_step_of_a_control_is_a_motion_on_the_wall():
    show = Show(noise_scale=0.0)
    show.send("/clavilux/noise_scale", 1.0)
    show.play(8)
    assert show.wall.levels == [0, 40, 80, 120, 160, 200, 200, 200]


def test_frames_are_due_at_their_index_over_fps():
    show = Show()
    show.play(4)
    assert [f.t for f in show.wall.frames] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [f.n for f in show.wall.frames] == [0, 1, 2, 3]


def test_seconds_end_a_show():
    assert Show().loop.run(threading.Event(), seconds=0.95) == 10


def test_the_newest_source_frame_wins_and_is_held():
    seen = []
    show = Show(render=lambda pixels, s: seen.append(int(pixels[0, 0, 0])) or pixels)
    show.mailbox.put(flat(1))
    show.mailbox.put(flat(2))
    show.play(2)
    show.mailbox.put(flat(3))
    show.play(1)
    assert seen == [2, 2, 3]
    assert show.mailbox.dropped == 1


def test_text_mode_paints_without_the_input():
    seen = []
    show = Show(render=lambda pixels, s: seen.append(pixels) or flat(9).pixels, input_mode="text")
    show.mailbox.put(flat(2))
    show.play(1)
    assert seen == [None]


def test_paused_holds_the_last_frame_and_output_goes_on():
    show = Show(noise_scale=0.5)
    show.play(2)
    show.send("/clavilux/paused", True)
    show.send("/clavilux/noise_scale", 1.0)
    show.play(3)
    assert show.wall.levels == [100] * 5
    show.send("/clavilux/paused", False)
    show.play(1)
    assert show.wall.levels[-1] > 100


def test_blackout_fades_and_comes_back_without_a_flash():
    show = Show(noise_scale=1.0)
    show.play(1)
    show.send("/clavilux/blackout", True)
    show.play(5)
    show.send("/clavilux/blackout", False)
    show.play(5)
    levels = show.wall.levels
    assert min(levels) == 0
    assert levels[0] == levels[-1] == 200
    assert max(abs(a - b) for a, b in pairwise(levels)) <= 81


def test_a_model_that_fails_leaves_the_last_picture_and_comes_back():
    calls = []

    def render(pixels, snapshot):
        calls.append(snapshot.n)
        if snapshot.n == 2:
            raise MemoryError("out of memory")
        return flat(10 + snapshot.n).pixels

    show = Show(render=render)
    show.play(8)
    assert show.wall.levels[:3] == [10, 11, 11]
    assert show.wall.levels[-1] == 17
    assert sum("could not be painted" in text for text in show.said) == 1
    assert any("painting again" in text for text in show.said)


def test_a_model_that_never_works_shows_the_input_not_black():
    def render(pixels, snapshot):
        raise RuntimeError("no")

    show = Show(render=render)
    show.mailbox.put(flat(77))
    show.play(30)
    assert set(show.wall.levels) == {77}
    # Retried with back-off, reported once or twice, not thirty times.
    assert sum("could not be painted" in text for text in show.said) <= 2


def test_before_any_source_frame_the_wall_is_grey_not_black():
    show = Show(render=lambda pixels, s: (_ for _ in ()).throw(RuntimeError("not ready")))
    show.play(1)
    assert show.wall.levels == [127]


def test_a_loop_that_falls_behind_does_not_hurry_after():
    clock = ManualClock()
    pacer = Pacer(clock, 10)
    pacer.wait()
    clock.advance(1.0)
    moments = []
    for _ in range(4):
        pacer.wait()
        moments.append(clock.now())
    gaps = [b - a for a, b in pairwise(moments)]
    assert gaps == pytest.approx([0.1, 0.1, 0.1])


def test_a_journal_tells_the_show_and_replays_it(tmp_path):
    path = tmp_path / "show.jsonl"
    clock = ManualClock()
    journal = Journal(path, {"fps": 10, "size": list(SIZE)}, TABLE, clock, Notices(clock))
    show = Show(journal=journal, noise_scale=0.0)
    show.send("/clavilux/noise_scale", 0.35, t=0.0)
    show.play(3)
    show.send("/clavilux/prompts", "a", 0.7, "b", 0.3)
    show.play(3)
    journal.close()

    assert read_header(path)["fps"] == 10
    frames = list(read_frames(path))
    assert [f.n for f in frames] == list(range(6))
    assert "prompts" not in frames[1].row["params"]
    assert frames[3].row["params"]["prompts"] == [{"text": "a", "weight": 0.7}, {"text": "b", "weight": 0.3}]

    again = Router(show.notices, opening={"noise_scale": 0.0})
    values = []
    for frame in frames:
        for event in frame.events:
            again.feed(event)
        values.append(round(again.sample(frame.t)["noise_scale"] * 200))
    assert values == show.wall.levels


def test_a_journal_cut_off_by_a_crash_is_read_to_its_last_whole_line(tmp_path):
    path = tmp_path / "show.jsonl"
    clock = ManualClock()
    journal = Journal(path, {}, TABLE, clock, Notices(clock))
    show = Show(journal=journal)
    show.play(5)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert len(list(read_frames(path))) == 4


def test_a_full_disk_ends_the_journal_not_the_show():
    clock = ManualClock()
    notices = Notices(clock)
    from pathlib import Path

    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    journal = Journal(full, {}, TABLE, clock, notices)
    show = Show(journal=journal)
    show.play(200)
    journal.close()
    assert len(show.wall.frames) == 200
    assert sum("journal" in n.text for n in notices.recent) == 1


def test_a_fault_beside_the_frame_costs_neither_the_frame_nor_what_comes_after_it():
    show = Show(noise_scale=0.5)
    done = []

    def fails():
        raise ValueError("no lamp")

    show.loop.between_frames += [fails, lambda: done.append(1)]
    show.play(5)
    assert len(show.wall.frames) == 5
    assert len(done) == 5
    assert show.said == ["what happens between frames failed (ValueError: no lamp); the show goes on"]


def test_a_message_that_breaks_the_router_is_told_and_the_next_is_played():
    show = Show(noise_scale=0.5)
    feed = show.router.feed

    def broken(event):
        if event.args == ("broken",):
            raise KeyError("row")
        feed(event)

    show.router.feed = broken
    show.send("/clavilux/seed", "broken")
    show.send("/clavilux/noise_scale", 1.0)
    show.play(20)
    assert show.wall.levels[-1] == 200
    assert show.said == ["a message to /clavilux/seed failed (KeyError: 'row'); the show goes on"]


def test_the_budget_says_where_the_time_of_a_frame_goes():
    budget = Budget(window=100)
    assert budget.table()["render"] == {"p50": None, "p95": None, "p99": None}
    for ms in range(1000):
        budget.add("render", float(ms))
    assert budget.table()["render"] == {"p50": 950.0, "p95": 995.0, "p99": 999.0}


def test_a_source_frame_is_weighed_once_and_its_capture_goes_along_to_the_sinks():
    clock = ManualClock()
    notices = Notices(clock)
    frames = [Frame(np.zeros((8, 8, 3), np.uint8), n, t) for n, t in ((0, 0.0), (0, 0.0), (1, 0.05))]

    class Input:
        def next(self):
            return frames.pop(0)

    class Output:
        def __init__(self):
            self.captured = []

        def offer(self, frame):
            self.captured.append(frame.captured)

    def render(pixels, snapshot):
        clock.advance(0.01)
        return pixels

    out = Output()
    loop = Loop(
        clock=clock, inbox=Inbox(), router=Router(notices), source=Input(), render=render, sinks=[out],
        notices=notices, size=(8, 8), fps=30,
    )  # fmt: skip
    for _ in range(3):
        clock.advance(0.02)
        loop.step()
    assert out.captured == [0.0, None, 0.05]
    table = loop.budget.table()
    assert table["render"]["p50"] == pytest.approx(10.0)
    assert table["wait"]["p50"] == pytest.approx(30.0)


def test_what_is_fired_while_the_picture_stands_is_in_the_next_that_is_painted():
    seen = []
    show = Show(render=lambda pixels, s: seen.append([t.name for t in s.triggers]) or flat(9).pixels)
    show.play(1)
    show.send("/clavilux/paused", True)
    show.send("/clavilux/reset_cache")
    show.play(1)
    show.send("/clavilux/transition", "sea", 8)
    show.play(1)
    show.send("/clavilux/paused", False)
    show.send("/clavilux/reset_cache")
    show.play(2)
    assert seen == [[], ["reset_cache", "transition", "reset_cache"], []]


@pytest.mark.parametrize("broken", ["source", "sample", "output", "journal"])
def test_a_fault_beside_the_painting_costs_what_it_was_about_and_no_frame(tmp_path, broken, monkeypatch):
    show = Show(noise_scale=0.5)
    journal = Journal(tmp_path / "show.jsonl", {}, show.router.table, show.clock, show.notices)
    show.loop._journal = journal
    show.play(1)

    def fail(*_, **__):
        raise ZeroDivisionError("a fault of ours")

    class Broken:
        next = offer = fail

    match broken:
        case "source":
            show.loop._source = Broken()
        case "sample":
            monkeypatch.setattr(show.router.state, "at", fail)
        case "output":
            show.loop.sinks.insert(0, Broken())
        case "journal":
            monkeypatch.setattr(journal, "frame", fail)
    show.play(2)
    assert any("a fault of ours" in text for text in show.said)
    monkeypatch.undo()
    show.play(1)
    assert show.wall.levels == [100] * 4
    assert [f.n for f in show.wall.frames] == [0, 1, 2, 3]


def test_half_a_surrogate_pair_is_refused_and_what_slips_in_ends_no_journal(tmp_path):
    show = Show(noise_scale=0.5)
    path = tmp_path / "show.jsonl"
    show.loop._journal = Journal(path, {}, show.router.table, show.clock, show.notices)
    show.send("/clavilux/prompts", '[{"text": "sea \\ud800", "weight": 1}]')
    show.send("/clavilux/transition", '{"target_prompts": [{"text": "sea \\udfff"}]}')
    show.play(1)
    assert sum("not valid Unicode" in text for text in show.said) == 2
    show.router.state.set(show.router.table["prompt"], "a \ud800 b", 0.0, "test")
    show.play(2)
    show.loop._journal.close()
    assert [frame.n for frame in read_frames(path)] == [0, 1, 2]
    assert "\\ud800" in path.read_text("utf-8")
