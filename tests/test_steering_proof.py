"""The measure of docs/steering_proof.py finds the zoom there is, and no other."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from clavilux.engine.effects.warp import warped

SIDE = 128


def _proof():
    spec = importlib.util.spec_from_file_location(
        "steering_proof", Path(__file__).parent.parent / "docs" / "steering_proof.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROOF = _proof()


def clouds(seed: int, softest: float) -> np.ndarray:
    """Coloured clouds, float32; nothing in them is narrower than `softest` pixels."""
    rng = np.random.default_rng(seed)
    spots = [cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE, 3)), (0, 0), w) for w in (softest, 3 * softest)]
    return sum(120 + 25 * s / s.std() for s in spots).astype(np.float32) / 2


def moved(pixels: np.ndarray, *how: float, **more) -> np.ndarray:
    return warped(torch.from_numpy(pixels).permute(2, 0, 1), *how, **more).permute(1, 2, 0).numpy()


def shown(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("zoom", [0.95, 1.0, 1.015, 1.03, 1.06])
@pytest.mark.parametrize("softest", [1.5, 4.0])
def test_the_zoom_there_is_is_found_in_what_fades_and_is_soft(zoom, softest):
    before = clouds(0, softest)
    after = 110 + 0.95 * (moved(before, zoom) - 110)
    assert PROOF.zoom_of(shown(before), shown(after)) == pytest.approx(zoom, abs=0.002)


def test_a_picture_that_stands_under_one_that_zooms_holds_the_measure_back():
    before, still = clouds(0, 2.0), clouds(1, 2.0)
    found = [
        PROOF.zoom_of(
            shown((1 - share) * before + share * still), shown((1 - share) * moved(before, 1.06) + share * still)
        )
        for share in (0.0, 0.4, 0.5, 1.0)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(1.06, abs=0.002)
    assert found[-1] == pytest.approx(1.0, abs=0.001)
    assert not PROOF.zoomed([0.95, 1.0, 1.03, found[2]], 0.003, 0.25)


def test_turning_and_sliding_is_no_zoom():
    before = clouds(0, 2.0)
    after = moved(before, 1.0, rotation=2.0, pan=(0.01, -0.01))
    assert PROOF.zoom_of(shown(before), shown(after)) == pytest.approx(1.0, abs=0.002)


def test_where_nothing_is_to_be_seen_no_zoom_is_found():
    grey = np.full((SIDE, SIDE, 3), 110, np.uint8)
    assert np.isnan(PROOF.zoom_of(grey, grey))
    assert not PROOF.zoomed([float("nan")] * 4, 0.003, 0.25)


def test_a_wrong_zoom_does_not_hold():
    assert PROOF.zoomed([0.955, 1.001, 1.025, 1.055], 0.003, 0.25)
    assert not PROOF.zoomed([0.955, 1.001, 1.016, 1.055], 0.003, 0.25)
    assert not PROOF.zoomed([1.0, 1.0, 1.0, 1.0], 0.003, 0.25)
