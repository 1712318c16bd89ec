"""The figures of the model card, on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("cv2")

from training.judge import Judge, to_input
from training.measures import (
    HUES,
    burnt,
    colour_accuracy,
    frechet,
    guidance_figures,
    hue_of,
    paraphrase_accuracy,
    steadiness,
    structure,
    variety,
)
from training.paraphrases import PARAPHRASES
from training.pictures import CONCEPTS, make_picture
from training.pictures.colour import NAMED
from training.pictures.scene import rgb


def flat(name: str) -> np.ndarray:
    return np.broadcast_to((rgb(NAMED[name][1]) * 255).astype(np.uint8), (8, 8, 3))


@pytest.mark.parametrize("name", HUES)
def test_a_flat_colour_is_called_by_its_name(name: str):
    assert hue_of(flat(name)) == name


def test_generator_colours_pass_their_own_test_and_grey_pictures_do_not():
    def grey(prompts: list[str], seed: int) -> np.ndarray:
        return np.full((len(prompts), 8, 8, 3), 128, np.uint8)

    marks = colour_accuracy(grey)
    assert marks["colour_ceiling"] > 0.8
    assert marks["colour"] < 0.3


def test_paraphrases_are_many_and_in_no_caption():
    words = [phrase for phrases in PARAPHRASES.values() for phrase in phrases]
    assert len(words) >= 100
    assert set(PARAPHRASES) <= set(CONCEPTS)
    nouns = {noun for concept in CONCEPTS.values() for noun in concept.nouns}
    assert not nouns & set(words)
    assert len(set(words)) == len(words)


def test_a_painter_of_one_thing_is_right_only_where_that_was_asked():
    torch.manual_seed(0)
    judge = Judge().eval()

    def same(prompts: list[str], seed: int) -> np.ndarray:
        return np.repeat(make_picture(5, 64, "fire", "", "").pixels[None], len(prompts), 0)

    marks = paraphrase_accuracy(same, judge)
    assert marks["accuracy"] <= max(len(v) for v in PARAPHRASES.values()) / marks["paraphrases"] + 1e-3


def test_distance_is_nothing_for_the_generator_itself_and_much_for_noise():
    torch.manual_seed(0)
    judge, seed = Judge().eval(), 500_000_000

    def itself(prompts: list[str], at: int) -> np.ndarray:
        return np.stack([make_picture(at + k, 128).pixels for k in range(len(prompts))])

    def noise(prompts: list[str], at: int) -> np.ndarray:
        return np.random.default_rng(at).integers(0, 255, (len(prompts), 128, 128, 3)).astype(np.uint8)

    for block in judge.body:  # an untrained judge's features are minute
        if isinstance(block, torch.nn.Conv2d):
            block.weight.data *= 8
    assert frechet(judge, itself, 40, seed) == pytest.approx(0, abs=1e-4)
    assert frechet(judge, noise, 40, seed) > 0.01


def test_the_same_picture_again_is_no_variety_and_the_generators_own_is_all_of_it():
    names = list(CONCEPTS)
    own = np.stack([make_picture(k, 64, n, "", "").pixels for n in names for k in range(4)])
    own = own.reshape(len(names), 4, 64, 64, 3)
    assert variety(own) == pytest.approx(1, abs=0.15)
    assert variety(own[:, :1].repeat(4, 1)) == 0


def test_steadiness_of_a_copy_is_one_and_a_flicker_is_more():
    photo = make_picture(3, 64, "face", "", "").pixels
    copy = steadiness(lambda frame, prompt, scale: frame, photo)
    assert copy == {"still": 0.0, "sensor_noise": 1.0, "pan": 1.0}
    rng = np.random.default_rng(0)
    wild = steadiness(lambda frame, prompt, scale: rng.integers(0, 255, frame.shape).astype(np.uint8), photo)
    assert wild["still"] > 10
    assert wild["sensor_noise"] > 5


def test_the_judge_sees_the_same_at_any_size():
    judge = Judge().eval()
    pictures = np.stack([make_picture(9, 128, "galaxy", "", "").pixels])
    assert to_input(pictures).shape == (1, 3, 64, 64)
    assert judge.features(to_input(pictures)).shape == (1, 192)


def test_burnt_counts_values_at_either_end():
    half = np.full((2, 8, 8, 3), 128, np.uint8)
    half[:, :4] = 255
    assert burnt(half) == 0.5


def test_structure_sees_edges_go_as_the_photograph_is_painted_over():
    photo = make_picture(3, 64, "face", "", "").pixels
    other = make_picture(9, 64, "clouds", "", "").pixels
    judge = Judge().eval()
    figures = structure(
        lambda frame, prompt, scale: (frame * (1 - scale) + other * scale).astype(np.uint8), judge, photo, ("fire",)
    )
    edges = [row["edges"] for row in figures.values()]
    assert edges == sorted(edges, reverse=True)
    assert edges[0] > 0.95


def test_a_negative_prompt_that_paints_over_its_hue_is_seen():
    """A painter that obeys: the hue as asked, and grey-green where the hue is the negative prompt."""

    def paint(prompts: list[str], seed: int, guidance: float, negative: str) -> np.ndarray:
        words = [prompt.split()[0] for prompt in prompts]
        return np.stack(
            [make_picture(seed + k, 64, "smoke", "green" if negative else w, "").pixels for k, w in enumerate(words)]
            if words[0] in HUES
            else [make_picture(seed + k, 64, name, "", "").pixels for k, name in enumerate(prompts)]
        )

    kept = guidance_figures(paint, Judge().eval())["negative"]
    assert kept["without"] > 0.8
    assert kept["with"] < 0.3
