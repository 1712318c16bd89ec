"""A whole show: files in, frames out, with a model of one line in the place of the real one."""

import json
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show, load_show
from clavilux.engine import show_parts
from clavilux.engine.app import Performance
from clavilux.engine.asked import Asked, show_from_header
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.journal import read_header
from clavilux.engine.core.modulators import Modulator
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Span
from clavilux.engine.core.shape import Shape, SourceOptions
from clavilux.engine.offline import render_offline
from clavilux.engine.reload import Reload
from clavilux.engine.replay import replay_journal
from clavilux.engine.show_parts import Parts
from clavilux.io.osc_packet import Message, encode

NEVER = threading.Event()


@pytest.fixture(autouse=True)
def one_line_model(monkeypatch):
    """The input dimmed by noise_scale: enough to see what arrives where."""

    def brush(self, synchronous):
        def dim(pixels, snapshot):
            base = np.full((self.show.size[1], self.show.size[0], 3), 200, np.uint8) if pixels is None else pixels
            return (base * snapshot["noise_scale"]).astype(np.uint8)

        return Brush(dim, {"guidance_scale": 1.0}, lambda: None, taken=lambda: {"preprocess": 1.0, "model": 5.0})

    monkeypatch.setattr(Parts, "brush", brush)


def show(tmp_path: Path, **fields) -> Show:
    osc = type(Show().osc)(port=0)
    given = {"source": "test-pattern", "sinks": (str(tmp_path / "frames") + "/",), "size": (64, 64), "osc": osc}
    return Show(**(given | fields))


def rows(journal: Path) -> list[dict]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def test_offline_makes_every_frame_once_and_the_same_each_time(tmp_path):
    films = []
    for name in ("a", "b"):
        made = render_offline(show(tmp_path, sinks=(str(tmp_path / name) + "/",)), NEVER, frames=12)
        assert made == 12
        films.append([p.read_bytes() for p in sorted((tmp_path / name).glob("*.png"))])
    assert len(films[0]) == 12
    assert films[0] == films[1]
    assert len(set(films[0])) == 12


def test_the_budget_tells_the_models_stages_apart(tmp_path):
    with Performance(show(tmp_path, sinks=("null",))) as performance:
        performance.run(NEVER, frames=3)
        table = performance.loop.budget.table()
    assert (table["preprocess"]["p50"], table["model"]["p50"], table["post"]["p50"]) == (1.0, 5.0, None)
    assert table["render"]["p50"] is not None


def test_a_recorded_show_replays_to_the_same_frames(tmp_path):
    journal = tmp_path / "show.jsonl"
    first = show(tmp_path, journal=str(journal), mappings=("nanokontrol2",), parameters={"noise_scale": 0.5})
    render_offline(first, NEVER, frames=10)
    replay_journal(journal, [str(tmp_path / "again") + "/"], None, None, NEVER)
    frames = [[p.read_bytes() for p in sorted((tmp_path / f).glob("*.png"))] for f in ("frames", "again")]
    assert len(frames[0]) == 10
    assert frames[0] == frames[1]


def test_a_recorded_show_with_loras_and_controlnets_replays_from_its_own_assets(tmp_path):
    journal, mapping = tmp_path / "show.jsonl", tmp_path / "knobs.yaml"
    mapping.write_text("version: 1\nbindings:\n  - {osc: /ink, to: lora/0/scale}\n")
    text = (
        "stream: {lora_merge_mode: runtime_peft, lora_dict: {ink: 0.4}, controlnets: [{model_id: embedded}],\n"
        "  ipadapters: [{ipadapter_model_path: a.bin, scale: 0.6}]}\n"
        "parameters: {noise_scale: 0.5}\nassets: pictures\nsource: test-pattern\nsize: [64, 64]\n"
    )
    (tmp_path / "show.yaml").write_text(text)
    played = load_show(tmp_path / "show.yaml").replace(
        sinks=[str(tmp_path / "frames") + "/"], journal=str(journal), mappings=[str(mapping)]
    )
    render_offline(played, NEVER, frames=3)
    [header, *_] = rows(journal)
    assert header["parameters"]["lora/0/scale"] == 0.4
    again = show_from_header(header, journal)
    assert again.parameters["ipadapter/0/scale"] == 0.6
    assert again.assets == str((tmp_path / "pictures").resolve())
    replay_journal(journal, [str(tmp_path / "again") + "/"], None, None, NEVER)
    frames = [[p.read_bytes() for p in sorted((tmp_path / f).glob("*.png"))] for f in ("frames", "again")]
    assert len(frames[0]) == 3
    assert frames[0] == frames[1]


def test_a_damaged_journal_plays_to_where_it_is_damaged_and_says_where(tmp_path, caplog):
    journal = tmp_path / "show.jsonl"
    render_offline(show(tmp_path, journal=str(journal)), NEVER, frames=6)
    whole = journal.read_text().splitlines(keepends=True)
    for damaged in ("\0\0\n", '{"type":"frame","t":0.1}\n', '{"type":"event","t":"x","port":"osc","address":"/a"}\n'):
        caplog.clear()
        journal.write_text("".join([*whole[:4], damaged, *whole[4:]]))
        assert replay_journal(journal, ["null"], None, None, NEVER) == 3
        assert "the journal is damaged at line 5; what follows is left out" in caplog.text
    caplog.clear()
    journal.write_text("".join(whole)[:-20])
    assert replay_journal(journal, ["null"], None, None, NEVER) == 5
    assert "damaged" not in caplog.text, "a crash cuts the last line off, and that is all"


def test_a_journal_without_frames_says_so(tmp_path, caplog):
    caplog.set_level("INFO", logger="clavilux")
    journal = tmp_path / "show.jsonl"
    render_offline(show(tmp_path, journal=str(journal)), NEVER, frames=1)
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])
    assert replay_journal(journal, ["null"], None, None, NEVER) == 0
    assert f"there are no frames in {journal}" in caplog.text


def test_what_asked_for_an_answer_is_nothing_to_a_replay(tmp_path, caplog):
    journal = tmp_path / "show.jsonl"
    render_offline(show(tmp_path, journal=str(journal)), NEVER, frames=2)
    lines = journal.read_text().splitlines()
    for at in ("get", "subscribe", "unsubscribe"):
        lines.insert(
            1, json.dumps({"type": "event", "t": 0.0, "port": "osc", "address": f"/clavilux/{at}", "value": 9})
        )
    journal.write_text("\n".join(lines) + "\n")
    replay_journal(journal, ["null"], None, None, NEVER)
    assert "nothing is at" not in caplog.text


def test_however_short_an_offline_run_is_it_makes_a_frame_and_says_where_it_went(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", logger="clavilux")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(show_parts, "display_fault", lambda: "no display here")
    assert render_offline(show(tmp_path, sinks=()), NEVER, seconds=0.001) == 1
    assert caplog.records[-1].getMessage() == f"1 frames to {show_parts.DEFAULT_RECORDING}"


def test_a_replay_may_take_its_pictures_from_elsewhere(tmp_path, monkeypatch):
    journal, seen = tmp_path / "show.jsonl", []
    render_offline(show(tmp_path, journal=str(journal)), NEVER, frames=1)
    whole = Parts.router
    monkeypatch.setattr(Parts, "router", lambda parts, *given: seen.append(parts.show.assets) or whole(parts, *given))
    replay_journal(journal, ["null"], None, None, NEVER, str(tmp_path / "moved"))
    assert seen == [str(tmp_path / "moved")]


def test_a_replay_turns_its_source_as_the_show_did(tmp_path):
    journal = tmp_path / "show.jsonl"
    turned = SourceOptions(shape=Shape(rotate=180, mirror="vertical"), warm=("demo",))
    render_offline(show(tmp_path, journal=str(journal), source_options=turned), NEVER, frames=3)
    replay_journal(journal, [str(tmp_path / "again") + "/"], None, None, NEVER)
    render_offline(show(tmp_path, sinks=(str(tmp_path / "plain") + "/",)), NEVER, frames=3)
    first, again, plain = (
        [p.read_bytes() for p in sorted((tmp_path / f).glob("*.png"))] for f in ("frames", "again", "plain")
    )
    assert len(first) == 3
    assert first == again
    assert first != plain


def test_an_edited_journal_is_a_score(tmp_path):
    journal = tmp_path / "show.jsonl"
    render_offline(show(tmp_path, journal=str(journal)), NEVER, frames=30)
    lines = journal.read_text().splitlines()
    played = {"type": "event", "t": 0.1, "port": "osc", "address": "/clavilux/noise_scale", "value": 0.0}
    lines.insert(5, json.dumps(played))
    journal.write_text("\n".join(lines) + "\n")
    replay_journal(journal, [str(tmp_path / "again") + "/"], None, None, NEVER)
    from PIL import Image

    bright = [np.asarray(Image.open(p)).mean() for p in sorted((tmp_path / "again").glob("*.png"))]
    assert bright[-1] == 0
    assert bright[0] > 50


def test_a_look_stored_in_one_show_is_recalled_in_the_next_and_in_its_replay(tmp_path):
    def played(journal: Path, *messages: tuple) -> float:
        given = {"assets": str(tmp_path / "assets"), "journal": str(journal), "sinks": ("null",), "fps": 60.0}
        with Performance(show(tmp_path, **given)) as performance:
            for address, *args in messages:
                performance.parts.inbox.put(Event(0.0, "osc", f"/clavilux/{address}", tuple(args)))
            performance.run(NEVER, frames=3)
            return performance.router.state.target("noise_scale")

    journals = [tmp_path / f"{name}.jsonl" for name in ("first", "next")]
    played(journals[0], ("noise_scale", 0.25), ("store", "mine"))
    assert played(journals[1], ("preset", "mine")) == 0.25
    (tmp_path / "assets" / "presets.yaml").unlink()
    header = read_header(journals[1])
    assert show_from_header(header, journals[1]).repertoire.preset("mine").values["noise_scale"] == 0.25
    assert replay_journal(journals[1], ["null"], None, None, NEVER) == 3


def test_a_show_that_swings_is_replayed_as_it_swung(tmp_path):
    swings = (
        Modulator("breathe", "noise_scale", 0.3, every=Span(0.4)),
        Modulator("kick", "brightness", -0.5, "envelope", attack=Span(0.05), release=Span(0.2)),
    )
    journal = tmp_path / "show.jsonl"
    given = show(tmp_path, journal=str(journal), sinks=("null",), fps=60.0, modulators=swings)
    with Performance(given) as performance:
        performance.parts.inbox.put(Event(0.0, "osc", "/clavilux/hit", ("kick",)))
        performance.parts.inbox.put(Event(0.0, "osc", "/clavilux/modulator/breathe/depth", (0.5,)))
        performance.run(NEVER, frames=20)
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    noise = [row["params"]["noise_scale"] for row in rows if "noise_scale" in row.get("params", ())]
    assert len(set(noise)) > 5
    assert any(row["params"].get("brightness", 0) < -0.05 for row in rows if "params" in row)
    assert show_from_header(read_header(journal), journal).modulators == swings
    assert replay_journal(journal, [str(tmp_path / "again") + "/"], None, None, NEVER) == 20


def test_rows_that_ask_for_what_is_not_there_are_named_as_the_show_opens(tmp_path):
    (tmp_path / "pads.yaml").write_text(
        "bindings:\n  - {note: 36, do: preset, with: {preset: calm}}\n  - {cc: 1, to: modulator/breathe/depth}\n"
    )
    with Performance(show(tmp_path, sinks=("null",), mappings=(str(tmp_path / "pads.yaml"),))) as performance:
        said = [n.text for n in performance.notices.recent]
    assert any("pads.yaml:2: this show has no presets" in text for text in said)
    assert any("pads.yaml:3: no modulator is called 'breathe'" in text for text in said)


def test_a_show_that_is_played_again_loses_no_take(tmp_path):
    given = show(tmp_path, sinks=(str(tmp_path / "frames") + "/",), journal=str(tmp_path / "show.jsonl"))
    for frames in (3, 1):
        with Performance(given) as performance:
            performance.run(NEVER, frames=frames)
    first, second = (
        sorted(p.name for p in f.glob("*.png")) for f in (tmp_path / "frames" / "take-1", tmp_path / "frames")
    )
    assert (first[0], second[0]) == ("000000.png", "000000.png")
    assert not (tmp_path / "frames" / "take-2").exists()
    journals = [sum(row["type"] == "frame" for row in rows(tmp_path / n)) for n in ("show-1.jsonl", "show.jsonl")]
    assert journals == [3, 1]
    assert sum("is kept" in n.text or "are kept" in n.text for n in performance.notices.recent) == 2


def test_a_show_begins_without_saying_that_what_failed_plays(tmp_path):
    with Performance(show(tmp_path, source="camera:97", sinks=("null",))) as performance:
        performance.run(NEVER, frames=1)
        [text] = [n.text for n in performance.notices.recent if n.key == "playing"]
    assert text.startswith("playing camera:97 (not there yet) through embedded to null;")


def test_what_is_rendered_again_is_written_over_and_never_mixed(tmp_path):
    given = show(tmp_path, journal=str(tmp_path / "show.jsonl"))
    for frames in (5, 2):
        render_offline(given, NEVER, frames=frames)
    assert sorted(p.name for p in (tmp_path / "frames").iterdir()) == ["000000.png", "000001.png"]
    assert not (tmp_path / "show-1.jsonl").exists()


def test_one_picture_offline_is_one_frame(tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "still.png")
    assert render_offline(show(tmp_path, source=str(tmp_path / "still.png")), NEVER) == 1


def test_offline_refuses_what_has_no_end_and_says_what_to_do(tmp_path):
    with pytest.raises(Asked, match="--frames or --seconds"):
        render_offline(show(tmp_path, source="demo"), NEVER)
    with pytest.raises(Asked, match="live"):
        render_offline(show(tmp_path, source="camera:7"), NEVER, frames=1)


def test_a_live_show_is_played_over_a_real_socket_and_rests_on_the_last_message(tmp_path):
    journal = tmp_path / "live.jsonl"
    played = show(tmp_path, sinks=("null",), journal=str(journal), fps=60.0)
    with Performance(played) as performance:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for k in range(100):
            client.sendto(encode(Message("/clavilux/noise_scale", (k / 100,))), ("127.0.0.1", performance.osc.port))
        client.sendto(encode(Message("/clavilux/noise_scale", (0.25,))), ("127.0.0.1", performance.osc.port))
        stop = threading.Event()
        performance.loop.between_frames.append(
            lambda: stop.set() if performance.router.sample(1e9)["noise_scale"] == 0.25 else None
        )
        performance.run(stop, seconds=10)
    events = [r for r in rows(journal) if r["type"] == "event"]
    assert len(events) == 101
    assert events[-1]["value"] == 0.25
    assert stop.is_set()


def test_nothing_is_left_running_after_a_show(tmp_path):
    before = {t.name for t in threading.enumerate()}
    with Performance(show(tmp_path, journal=str(tmp_path / "j"))) as performance:
        performance.run(NEVER, frames=3)
    assert {t.name for t in threading.enumerate() if t.is_alive()} <= before
    assert len(list((tmp_path / "frames").glob("*.png"))) >= 1


def test_what_fails_to_close_costs_no_file(tmp_path, monkeypatch):
    stops = Reload.stop

    def fails(reload):
        stops(reload)
        raise OSError("the share is gone")

    monkeypatch.setattr(Reload, "stop", fails)
    before = {t.name for t in threading.enumerate()}
    journal = tmp_path / "show.jsonl"
    with Performance(show(tmp_path, journal=str(journal))) as performance:
        performance.run(NEVER, frames=3)
    assert performance._journal._file.closed
    assert {t.name for t in threading.enumerate() if t.is_alive()} <= before
    assert len([row for row in rows(journal) if row["type"] == "frame"]) == 3
    assert [n.text for n in performance.notices.recent if n.key.startswith("close:")] == [
        "the watch on files could not be closed as it should: the share is gone"
    ]


def test_a_mistake_while_opening_leaves_nothing_running(tmp_path):
    before = set(threading.enumerate())
    with pytest.raises(Exception, match="journal"), Performance(show(tmp_path, journal="/proc/no/journal")):
        pass
    assert not [thread.name for thread in threading.enumerate() if thread not in before]


def test_a_wrong_edit_of_a_mapping_keeps_the_old_one_playing(tmp_path):
    mapping = tmp_path / "set.yaml"
    good = "version: 1\nname: set\nbindings:\n  - cc: 21\n    to: {}\n"
    mapping.write_text(good.format("noise_scale"))
    clock = ManualClock()
    notices = Notices(clock)
    parts = Parts(show(tmp_path, mappings=(str(mapping),)), clock, notices)
    sets = parts.mappings()

    class NoLoop:
        def __init__(self):
            self.router = parts.router(sets, parts.brush(True))
            self.between_frames = []

    loop = NoLoop()
    reload = Reload(sets, clock, notices, loop)  # type: ignore[arg-type]
    try:
        mapping.write_text(good.format("noise_scal"))
        reload.read_again({str(mapping)})
        loop.between_frames[0]()
        assert loop.router.bindings[0].to == "noise_scale"
        assert any("set.yaml:5" in n.text and "old one plays on" in n.text for n in notices.recent)

        mapping.write_text(good.format("delta"))
        reload.read_again({str(mapping)})
        loop.between_frames[0]()
        assert loop.router.bindings[0].to == "delta"
    finally:
        reload.stop()


def test_where_there_is_no_display_the_picture_goes_to_a_film(monkeypatch):
    monkeypatch.setattr(show_parts, "display_fault", lambda: "there is no display here")
    notices = Notices(ManualClock())
    assert show_parts.default_sinks(notices) == [show_parts.DEFAULT_RECORDING]
    assert any("no display" in n.text for n in notices.recent)


def test_the_model_says_what_it_was_made_for_and_the_show_has_the_last_word(tmp_path):
    clock = ManualClock()
    for asked, opens_at in (({}, 1.0), ({"guidance_scale": 2.5}, 2.5)):
        parts = Parts(show(tmp_path, parameters=asked), clock, Notices(clock))
        router = parts.router((), parts.brush(True))
        assert router.sample(0.0)["guidance_scale"] == opens_at
        assert router.state.opening["guidance_scale"] == opens_at


def test_a_picture_outside_the_assets_that_is_named_by_osc_leaves_what_was_there(tmp_path):
    with Performance(show(tmp_path, sinks=("null",), assets=str(tmp_path))) as performance:
        for names in (("look.png",), ("/etc/passwd",), ("../look.png",)):
            performance.parts.inbox.put(Event(0.0, "osc", "/clavilux/vace_ref_images", names))
        performance.run(NEVER, frames=1)
        assert performance.router.state.target("vace_ref_images") == ("look.png",)
        said = [notice.text for notice in performance.notices.recent]
    assert any("only files in the assets folder may be named" in text for text in said)
