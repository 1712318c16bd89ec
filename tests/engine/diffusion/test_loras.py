"""A show's LoRAs: asked for by name, gliding in and out, merged for good, refused in words."""

from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.router import Router
from clavilux.engine.diffusion import loras as module
from clavilux.engine.diffusion.lora import Lora, LoraMistake
from clavilux.engine.diffusion.loras import PERMANENT, RUNTIME, Loras

LIVE, SOON = 1 / 30, 10.0


class FakeAdapters:
    """Networks that remember what was put on them."""

    def __init__(self) -> None:
        self.on: list[tuple[str, float | None]] = []
        self.scales: list[float] = []
        self.builds = 0

    def prepare(self, grafts):
        self.builds += 1
        wanted = [(g.lora.name, g.fixed) for g in grafts]

        def commit() -> None:
            self.on, self.scales = wanted, [0.0 for _, fixed in wanted if fixed is None]

        return commit

    def scale(self, scales) -> None:
        assert len(scales) == len(self.scales)
        self.scales = list(scales)


@pytest.fixture
def rack(monkeypatch):
    """LoRAs named a to z whose files are made up; `bad` fits no model."""

    def read(file, unet, name):
        if name == "bad":
            raise LoraMistake("bad is made for another model")
        return Lora(name, {}, None, None)

    def find(name: str) -> Path:
        if len(name) > 3:
            raise Refused(f"{name}: there is no such file in the assets folder")
        return Path(name)

    monkeypatch.setattr(module, "read_lora", read)
    monkeypatch.setattr(module, "skeleton", lambda config: None)

    def make(mode=RUNTIME, synchronous=True):
        adapters, notices = FakeAdapters(), Notices(ManualClock())
        made = Loras(adapters, {}, find, notices, mode, synchronous)
        return made, adapters, notices

    return make


def test_a_named_lora_comes_in_and_rises_and_sinks_within_its_slew(rack):
    loras, adapters, _ = rack()
    loras.advance(0.0, ())
    assert adapters.builds == 0
    loras.advance(1.0, (("a", 1.0),))
    assert (adapters.on, adapters.scales) == ([("a", None)], [0.0])
    seen = [0.0]
    for n in range(1, 30):
        loras.advance(1.0 + n * LIVE, (("a", 1.0),))
        seen.append(adapters.scales[0])
    assert max(b - a for a, b in pairwise(seen)) <= 2.0 * LIVE + 1e-9
    assert seen[-1] == 1.0
    loras.advance(3.0, (("a", -3.0),))
    loras.advance(SOON, (("a", -3.0),))
    assert (adapters.scales, adapters.builds) == ([-3.0], 1)
    assert loras.loaded == [{"path": "a", "scale": -3.0, "merge_mode": RUNTIME}]


def test_while_the_picture_stands_a_lora_goes_on_the_model_and_rises_when_it_moves_again(rack):
    loras, adapters, _ = rack(PERMANENT)
    loras.advance(0.0, ())
    loras.ask(RUNTIME, loras.wishes([("a", 1.0)], RUNTIME))
    for n in range(1, 300):
        loras.stand(n * LIVE)
    assert (adapters.on, loras.busy, loras.loaded[0]["path"]) == ([("a", None)], False, "a")
    assert loras.moving(300 * LIVE)  # or the same input would be taken for the same picture
    seen = []
    for n in range(300, 330):
        loras.advance(n * LIVE, ())
        seen.append(adapters.scales[0])
    assert seen[0] == 0.0
    assert max(b - a for a, b in pairwise(seen)) <= 2.0 * LIVE + 1e-9
    assert seen[-1] == 1.0
    assert not loras.moving(330 * LIVE)


def test_a_lora_on_its_way_stops_with_the_picture(rack):
    loras, adapters, _ = rack()
    wanted = (("a", 1.0),)
    for n in range(7):
        loras.advance(n * LIVE, wanted)
    [before] = adapters.scales
    for n in range(7, 100):
        loras.stand(n * LIVE)
    loras.advance(100 * LIVE, wanted)
    assert 0.0 < before <= adapters.scales[0] <= before + 2 * 2.0 * LIVE


def test_several_are_moved_by_path_and_a_second_name_comes_beside_the_first(rack):
    loras, adapters, _ = rack()
    one = (("a", 1.0),)
    loras.advance(0.0, one)
    loras.advance(1.0, one)
    both = (*one, ("b", 0.5))
    loras.advance(1.1, both)
    assert (adapters.on, adapters.scales) == ([("a", None), ("b", None)], [1.0, 0.0])
    loras.advance(SOON, both)
    assert adapters.scales == [1.0, 0.5]
    loras.advance(SOON + 1, one)  # b is named no more, as after a panic
    loras.advance(2 * SOON, one)
    assert adapters.scales == [1.0, 0.0]


def test_the_picture_goes_on_while_a_lora_is_read(rack, monkeypatch):
    loras, adapters, _ = rack(synchronous=False)
    jobs = []

    def submit(job, name=""):
        jobs.append((future := Future(), job))
        return future

    monkeypatch.setattr(loras._worker, "submit", submit)
    wanted = (("a", 1.0),)
    for n in range(5):
        loras.advance(n * LIVE, wanted)
    assert (adapters.on, loras.busy, loras.loaded, len(jobs)) == ([], True, [], 1)
    [(future, job)] = jobs
    future.set_result(job())
    assert adapters.on == []  # built, and not yet in the picture
    loras.advance(0.5, wanted)
    assert (adapters.on, adapters.scales, loras.busy) == ([("a", None)], [0.0], False)
    loras.close()


def test_what_is_merged_for_good_rises_first_and_then_costs_nothing(rack):
    loras, adapters, notices = rack()
    loras.ask(PERMANENT, loras.wishes([("a", 0.5)], PERMANENT))
    loras.advance(0.0, ())
    assert (adapters.on, adapters.scales) == ([("a", None)], [0.0])
    loras.advance(1.0, ())
    loras.advance(1.1, ())
    assert (adapters.on, adapters.scales) == ([("a", 0.5)], [])
    assert loras.loaded == [{"path": "a", "scale": 0.5, "merge_mode": PERMANENT}]
    loras.advance(1.2, (("a", 0.9),))
    assert "a was merged into the model for good (lora_merge_mode permanent_merge)" in notices.recent[-1].text
    loras.ask(RUNTIME, ())  # let go of: taken out of the weights, then sinking
    loras.advance(2.0, (("a", 0.9),))
    assert (adapters.on, adapters.scales) == ([("a", None)], [0.5])
    loras.advance(2.0 + LIVE, ())
    assert 0.4 < adapters.scales[0] < 0.5
    loras.advance(SOON, ())
    loras.advance(SOON + LIVE, ())
    assert (adapters.on, loras.loaded) == ([], [])


def test_before_the_first_frame_they_are_there_at_once(rack):
    loras, adapters, notices = rack(PERMANENT)
    loras.open((*loras.wishes([("a", 0.5)], PERMANENT), *loras.wishes([("bad", 1.0), ("b", 2.0)], RUNTIME)))
    assert adapters.on == [("a", 0.5), ("b", None)]
    assert "bad is made for another model" in notices.recent[0].text
    loras.advance(0.0, (("a", 0.5), ("b", 2.0)))
    assert adapters.scales == [2.0]


def test_what_cannot_be_is_told_and_what_plays_stays(rack):
    loras, adapters, notices = rack()
    loras.advance(0.0, (("a", 1.0),))
    loras.advance(1.0, (("a", 1.0), ("bad", 1.0), ("nowhere", 1.0)))
    said = " ".join(n.text for n in notices.recent)
    assert "bad is made for another model" in said
    assert "nowhere: there is no such file in the assets folder" in said
    assert (adapters.on, adapters.scales) == ([("a", None)], [1.0])
    assert loras.error is None  # a scale that cannot be moved is no fault of what was loaded
    loras.ask(RUNTIME, loras.wishes([("a", 1.0), ("bad", 1.0)], RUNTIME))
    loras.advance(2.0, ())
    assert loras.error == "bad is made for another model"
    loras.ask(RUNTIME, loras.wishes([("a", 1.0)], RUNTIME))
    assert loras.error is None
    with pytest.raises(Refused, match="no such file"):
        loras.wishes([("nowhere", 1.0)], RUNTIME)


def test_one_that_cannot_be_is_not_tried_again_while_another_is_turned(rack):
    loras, adapters, notices = rack()

    def told() -> int:
        notices.clear("lora")
        return sum("bad is made for another model" in n.text for n in notices.recent)

    for n in range(20):
        loras.advance(n * LIVE, (("a", n * 0.05), ("bad", 1.0)))
    assert told() == 1
    assert adapters.builds == 1
    loras.advance(SOON, (("a", 1.0), ("bad", 1.0)))
    assert told() == 1
    loras.advance(SOON, (("a", 1.0), ("bad", 0.9)))  # asked for anew
    assert told() == 2


def test_one_that_a_load_leaves_out_stays_out_until_it_is_moved(rack):
    loras, _, _ = rack()
    loras.advance(0.0, (("a", 1.0), ("b", 1.2)))
    loras.advance(5.0, (("a", 1.0), ("b", 1.2)))
    loras.ask(RUNTIME, loras.wishes([("a", 1.0)], RUNTIME))
    for t in (6.0, 7.0, 8.0, 9.0):
        loras.advance(t, (("a", 0.3), ("b", 1.2)))
    assert [row["path"] for row in loras.loaded] == ["a"]
    for t in (10.0, 12.0, 14.0):
        loras.advance(t, (("a", 0.3), ("b", 0.8)))
    assert len(loras.loaded) == 2


def test_one_that_the_show_lacks_keeps_its_place_and_is_told_once(tmp_path, sentence_folder, lora_file):
    from clavilux.configs import load_show
    from clavilux.engine.diffusion import load_model
    from clavilux.engine.show_loras import loras_of

    lora_file(tmp_path / "here.safetensors", sentence_folder)
    loras = "{gone.safetensors: 1.0, here.safetensors: 0.5}"
    (tmp_path / "show.yaml").write_text(f"stream: {{lora_merge_mode: runtime_peft, lora_dict: {loras}}}\n")
    notices = Notices(ManualClock())
    made, _ = loras_of(load_show(tmp_path / "show.yaml"), load_model(sentence_folder, "none", (64, 64)), notices, True)
    assert made.opening == (("gone.safetensors", 0.0), (str(tmp_path / "here.safetensors"), 0.5))
    made.advance(0.0, made.opening)
    assert sum("gone" in n.text for n in notices.recent) == 1
    assert made.loaded[0]["scale"] == 0.5


def test_without_a_word_of_runtime_no_scale_moves(rack):
    loras, adapters, notices = rack(PERMANENT)
    loras.advance(0.0, (("a", 1.0),))
    assert "no LoRA was loaded with lora_merge_mode runtime_peft" in notices.recent[-1].text
    assert adapters.builds == 0


def test_the_seventeenth_takes_the_place_of_one_that_is_silent(rack):
    loras, _, notices = rack()
    names = [chr(ord("a") + k) for k in range(16)]
    loras.advance(0.0, tuple((name, 1.0) for name in names))
    loras.advance(1.0, (*((name, 1.0) for name in names), ("z", 1.0)))
    assert "at most 16 LoRAs at once; z is left out" in notices.recent[-1].text
    loras.advance(2.0, (*((name, 1.0 if name != "c" else 0.0) for name in names), ("z", 1.0)))
    loras.advance(SOON, tuple((name, 1.0) for name in names if name != "c"))
    assert len(loras.loaded) == 16


def test_scales_that_are_sent_leave_the_others_where_they_are():
    """As messages say them: by path, one at a time, as JSON or as OSC's plain list; out of range is clamped."""
    from clavilux.engine.core.events import Event

    router = Router(Notices(ManualClock()))
    for args in (
        ([{"path": "a", "scale": 0.5}, {"path": "b", "scale": 1.0}],),
        ('[{"path": "b", "scale": 2}]',),
        ("c", 0.25, "d", 99.0),
    ):
        router.feed(Event(0.0, "osc", "/clavilux/lora_scales", args))
    assert dict(router.state.target("lora_scales")) == {"a": 0.5, "b": 2.0, "c": 0.25, "d": 10.0}
