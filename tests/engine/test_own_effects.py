"""One's own effects in a show: named in its file, bound in its mappings, heard over OSC, replayed from its journal."""

import json

import numpy as np
import pytest
from clavilux.configs import load_show
from clavilux.engine.asked import show_from_header
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.effects import Effects, OwnEffect
from clavilux.engine.core.journal import JournalMistake
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import Diffuser
from clavilux.mappings import load_mapping

LIFT = """
from clavilux.engine import Parameter
PARAMETERS = [Parameter("lift", "float", 0.0, "Lifts the picture.", range=(0, 50), slew=50)]
def image_after(pixels, values):
    return pixels + int(values["lift"])
"""


@pytest.fixture
def show_file(tmp_path):
    (tmp_path / "lift.py").write_text(LIFT)
    (tmp_path / "mine.yaml").write_text("version: 1\nname: Mine\nbindings:\n  - {cc: 21, to: lift}\n")
    path = tmp_path / "show.yaml"
    path.write_text("effects: [lift.py]\nmappings: [./mine.yaml]\nparameters: {lift: 12}\n")
    return path


def test_a_show_names_its_effects_and_their_parameters_are_like_any_other(show_file):
    show = load_show(show_file)
    assert show.parameters["lift"] == 12
    assert show.table["lift"].osc == "/clavilux/lift"
    [binding] = load_mapping(show.mappings[0], show.table).bindings
    assert binding.to == "lift"
    assert show.replace(fps=20).table["lift"]
    assert "lift" not in load_show("laptop").table


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("effects: [gone.py]", r"show.yaml:1: effects: .*gone.py: there is no such file"),
        ("fps: 10\neffects: [3]", r"show.yaml:2: effects: takes Python files"),
        ("effects: [lift.py]\nparameters: {lift: 99}", r"show.yaml:2: lift: 99 is outside 0..50"),
        ("effects: [lift.py, lift.py]", r"these names are taken: lift"),
    ],
)
def test_what_is_wrong_is_told_by_line(show_file, text, word):
    show_file.write_text(text + "\n")
    with pytest.raises(Mistakes, match=word):
        load_show(show_file)


def test_a_journal_remembers_them(show_file, tmp_path):
    show = load_show(show_file)
    header = {
        "model": "embedded", "size": [64, 64], "fps": 30, "source": "demo", "parameters": {"lift": 3.0},
        "smoothing": {}, "stream": {}, "effects": [effect.path for effect in show.effects],
    }  # fmt: skip
    again = show_from_header(json.loads(json.dumps(header)), tmp_path / "j.jsonl")
    assert again.parameters["lift"] == 3
    assert [effect.name for effect in again.effects] == ["lift"]
    (tmp_path / "lift.py").unlink()
    with pytest.raises(JournalMistake, match="no such file"):
        show_from_header(header, tmp_path / "j.jsonl")


def test_latent_stages_stand_before_and_after_the_model(exact, at, clip):
    seen = []

    def note(stage, by):
        def run(latents, values):
            seen.append((stage, tuple(latents.shape), values["noise_scale"]))
            return latents + by

        return run

    def paint(*effects: OwnEffect) -> np.ndarray:
        diffuser = Diffuser(exact, cfg_type="none", batch=False, synchronous=True, effects=Effects(effects))
        return diffuser.render(clip[0], at(0, noise_scale=0.5)).astype(int)

    plain = paint()
    before = paint(OwnEffect("b", {"latent_before": note("latent_before", 0.3)}))
    after = paint(OwnEffect("a", {"latent_after": note("latent_after", 0.3)}))
    assert seen == [("latent_before", (1, 4, 8, 8), 0.5), ("latent_after", (1, 4, 8, 8), 0.5)]
    assert np.abs(before - plain).mean() > 1
    assert np.abs(after - plain).mean() > np.abs(before - plain).mean()


def leaves(latents, values):
    raise SystemExit("enough")


@pytest.mark.parametrize(
    ("latent_after", "why"),
    [
        (lambda latents, values: latents[:, :1], "it returned"),
        (lambda latents, values: latents * float("nan"), "not finite"),
        (leaves, "enough"),
    ],
)
def test_a_latent_effect_that_fails_is_off_and_the_frame_is_painted(exact, at, clip, latent_after, why):
    bad, notices = OwnEffect("bad", {"latent_after": latent_after}), Notices(ManualClock())
    effects = Effects([bad], notices)
    diffuser = Diffuser(exact, cfg_type="none", batch=False, synchronous=True, effects=effects)
    good = Diffuser(exact, cfg_type="none", batch=False, synchronous=True)
    assert (diffuser.render(clip[0], at(0)) == good.render(clip[0], at(0))).all()
    assert bad.off
    assert why in notices.recent[-1].text
