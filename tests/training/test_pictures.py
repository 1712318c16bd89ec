"""The generator: deterministic, in range, and every concept, colour, style and composition renders."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from training.pictures import CONCEPTS, make_picture
from training.pictures.colour import MOODS, NAMED
from training.pictures.compose import COMPOSITIONS
from training.pictures.shape import shaped
from training.pictures.style import STYLES

SIZE = 64


def test_there_is_a_world():
    assert len(CONCEPTS) >= 40
    assert all(len(concept.nouns) >= 3 for concept in CONCEPTS.values())


@pytest.mark.parametrize("name", list(CONCEPTS))
def test_every_concept_renders_with_something_to_see(name: str):
    picture = make_picture(11, SIZE, concept=name, style="")
    assert picture.pixels.shape == (SIZE, SIZE, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.std() > 2
    assert picture.caption.strip()


def test_same_seed_same_picture_other_seed_another():
    one, again, other = make_picture(5, SIZE), make_picture(5, SIZE), make_picture(6, SIZE)
    assert np.array_equal(one.pixels, again.pixels)
    assert one.caption == again.caption
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_changes_the_picture(style: str):
    plain = make_picture(3, SIZE, concept="fire", colour="", style="", composition="").pixels
    styled = make_picture(3, SIZE, concept="fire", colour="", style=style, composition="").pixels
    assert not np.array_equal(plain, styled)


@pytest.mark.parametrize("colour", [*NAMED, *MOODS, "blue and golden"])
def test_every_colour_renders(colour: str):
    assert make_picture(3, SIZE, concept="clouds", colour=colour, style="").pixels.any()


def test_a_named_colour_wins_its_channel():
    red = make_picture(3, SIZE, concept="ocean waves", colour="red", style="").pixels.mean((0, 1))
    blue = make_picture(3, SIZE, concept="ocean waves", colour="blue", style="").pixels.mean((0, 1))
    assert red[0] > red[2] + 20
    assert blue[2] > blue[0] + 20


@pytest.mark.parametrize("composition", [name for name in COMPOSITIONS if name])
def test_compositions_are_said(composition: str):
    captions = {make_picture(seed, SIZE, concept="dots", composition=composition).caption for seed in range(12)}
    assert len(captions) > 6


def test_symmetrical_is_a_mirror():
    picture = make_picture(4, SIZE, concept="crystals", colour="", style="", composition="symmetrical").pixels.astype(
        int
    )
    assert np.abs(picture - picture[:, ::-1]).mean() < 1.0


def test_a_shaped_picture_keeps_size_and_takes_the_form():
    rng = np.random.default_rng(0)
    stuff = make_picture(1, SIZE, concept="fire", style="").pixels
    form = np.zeros_like(stuff)
    form[:, SIZE // 2 :] = 255
    made = shaped(stuff, form, rng)
    assert made.shape == stuff.shape
    assert made.dtype == np.uint8
    assert made[:, SIZE // 2 :].mean() > made[:, : SIZE // 2].mean()
