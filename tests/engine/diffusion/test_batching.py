import json
from dataclasses import replace

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import batching
from clavilux.engine.diffusion.batching import batch_pays


@pytest.fixture
def machine(exact, tmp_path, monkeypatch):
    """A machine where a model call costs so much, and so much more a row; counts the calls."""
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    passed = {"s": 0.0, "calls": 0}
    monkeypatch.setattr(batching.time, "perf_counter", lambda: passed["s"])

    def make(call_ms, row_ms):
        def unet(x, *rest):
            passed["s"] += (call_ms + row_ms * len(x)) / 1000
            passed["calls"] += 1
            return exact.unet(x, *rest)

        return replace(exact, networks=replace(exact.networks, unet=unet))

    make.passed = passed
    return make


def test_where_rows_are_cheap_a_batch_pays(machine):
    assert batch_pays(machine(20, 1), 4)


def test_where_every_row_costs_the_same_it_does_not(machine):
    assert not batch_pays(machine(2, 20), 4)


def test_where_all_is_fast_no_delay_is_worth_it(machine):
    assert not batch_pays(machine(1, 0.1), 4)


def test_one_step_is_no_batch(machine):
    assert not batch_pays(machine(20, 1), 1)


def test_it_is_measured_once_and_remembered(machine, tmp_path):
    model = machine(20, 1)
    notices = Notices(ManualClock())
    first = batch_pays(model, 4, notices)
    calls = machine.passed["calls"]
    assert batch_pays(model, 4) is first
    assert machine.passed["calls"] == calls
    text = "a frame's 4 steps are done at once, in 24 ms instead of 84 ms, for 3 frames of delay"
    assert notices.recent[-1].text == text
    assert batch_pays(model, 3) is True
    assert machine.passed["calls"] > calls


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"sequence_ms": "x"}}'])
def test_a_memory_that_cannot_be_read_is_made_anew(machine, tmp_path, text):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / batching.FILE).write_text(text)
    assert batch_pays(machine(20, 1), 4)
    assert len(json.loads((folder / batching.FILE).read_text())) == 1


def test_without_a_place_to_remember_it_is_said(machine, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    notices = Notices(ManualClock())
    assert batch_pays(machine(20, 1), 4, notices)
    assert "measured again" in notices.recent[0].text


def test_what_cannot_be_kept_leaves_nothing_behind(machine, tmp_path):
    (tmp_path / "cache" / batching.FILE).mkdir(parents=True)
    assert batch_pays(machine(20, 1), 4)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [batching.FILE]


@pytest.mark.parametrize(
    ("call_ms", "row_ms", "text"),
    [
        (1, 0.1, "one after another: 2 ms are fast enough; at once would be 1 frame of delay"),
        (2, 20, "one after another, in 44 ms: at once (42 ms) is not worth 1 frame of delay"),
        (20, 1, "at once, in 22 ms instead of 42 ms, for 1 frame of delay"),
    ],
)  # fmt: skip
def test_what_was_chosen_and_why_is_said_plainly(machine, call_ms, row_ms, text):
    notices = Notices(ManualClock())
    batch_pays(machine(call_ms, row_ms), 2, notices)
    assert notices.recent[-1].text == f"a frame's 2 steps are done {text}"


@pytest.mark.parametrize(("call_ms", "row_ms", "pays"), [(20, 12, True), (20, 16, False), (5, 0.4, True)])
def test_what_is_close_is_measured_at_three_starts_and_then_taken_as_it_is(machine, call_ms, row_ms, pays):
    model = machine(call_ms, row_ms)
    for start in (1, 2, 3, 4, 5):
        notices = Notices(ManualClock())
        before = machine.passed["calls"]
        assert batch_pays(model, 2, notices) is pays
        assert (machine.passed["calls"] > before) is (start <= 3)
        assert notices.recent[-1].text.endswith("(nearly even: measured again at the next start)") is (start < 3)


def test_of_what_is_close_the_fastest_counts_for_a_machine_is_busy_now_and_then(machine):
    busy, at_rest = machine(20, 12.5), machine(20, 1)
    batch_pays(busy, 2)
    assert batch_pays(at_rest, 2)
    calls = machine.passed["calls"]
    notices = Notices(ManualClock())
    assert batch_pays(busy, 2, notices)
    assert machine.passed["calls"] == calls
    assert (
        notices.recent[-1].text == "a frame's 2 steps are done at once, in 22 ms instead of 42 ms, for 1 frame of delay"
    )


def test_a_memory_of_what_is_close_from_before_starts_were_counted_is_measured_again(machine):
    model = machine(20, 1)
    row = {"sequence_ms": 88.0, "batch_ms": 62.0}
    batching.speeds.keep(batching.FILE, {batching._key(model, 2): row, "other": {"a": 1.0}})
    assert batch_pays(model, 2)
    kept = batching.speeds.kept(batching.FILE)
    assert kept["other"] == {"a": 1.0}
    assert kept[batching._key(model, 2)] == {"sequence_ms": 42.0, "batch_ms": 22.0, "starts": 1.0}
