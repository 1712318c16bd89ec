"""Control images: edges where there are edges, nowhere else, and as OpenCV finds them."""

import numpy as np
import pytest
from clavilux.engine.effects.preprocess import PREPROCESSORS, NoPreprocessor, canny, preprocessor


def disc(soft: float = 0.0) -> np.ndarray:
    ys, xs = np.mgrid[:96, :96]
    away = np.hypot(ys - 47.5, xs - 47.5) - 25
    grey = np.clip(-away / max(soft, 1e-3) + 0.5, 0, 1) * 200 + 20
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)


def radii(edges: np.ndarray) -> np.ndarray:
    ys, xs = np.nonzero(edges[..., 0] > 127)
    return np.hypot(ys - 47.5, xs - 47.5)


@pytest.mark.parametrize("name", ["canny", "soft_edge", "lineart"])
def test_edges_lie_on_the_edge_and_a_flat_picture_has_none(name):
    find = preprocessor(name)
    found = radii(find(disc(2.0)))
    assert len(found) > 60
    assert np.abs(found - 25).max() < 6
    assert not find(np.full((64, 64, 3), 90, np.uint8)).any()


def test_canny_is_thin_and_closed():
    edges = canny(disc(2.0))[..., 0] > 0
    assert 120 < edges.sum() < 260
    ys, xs = np.nonzero(edges)
    angles = np.sort(np.arctan2(ys - 47.5, xs - 47.5))
    assert np.diff(angles).max() < 0.1


def test_canny_agrees_with_opencv():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    grey = cv2.resize(rng.integers(0, 256, (12, 12)).astype(np.uint8), (192, 192), interpolation=cv2.INTER_CUBIC)
    coarse = np.repeat(grey[..., None], 3, 2)
    ours = canny(coarse, 30, 60, sigma=0.0)[..., 0] > 0
    theirs = cv2.Canny(grey, 30, 60, L2gradient=True) > 0
    near = cv2.dilate(theirs.astype(np.uint8), np.ones((3, 3))) > 0
    assert (ours & near).sum() > 0.9 * ours.sum()
    near_ours = cv2.dilate(ours.astype(np.uint8), np.ones((3, 3))) > 0
    assert (theirs & near_ours).sum() > 0.9 * theirs.sum()


def test_weak_edges_stay_only_where_they_hang_on_strong_ones():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32, 32:] = 200
    picture[32:, 32:] = np.linspace(200, 24, 32).astype(np.uint8)[:, None, None]
    apart = np.zeros((64, 64, 3), np.uint8)
    apart[:, 32:] = 24
    assert canny(picture, 40, 300, sigma=0.0)[58, 30:34].any()
    assert not canny(apart, 40, 300, sigma=0.0).any()


def test_light_and_blur_keep_what_they_say():
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(preprocessor("luminance")(red).astype(int) - round(200 * 0.2126)).max() <= 1
    assert (preprocessor("blur")(red) == red).all()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert preprocessor("blur", sigma=4)(noise).std() < 0.2 * noise.std()
    assert preprocessor("passthrough")(noise) is noise


@pytest.mark.parametrize("name", sorted(PREPROCESSORS))
def test_every_one_keeps_shape_and_type_for_odd_sizes(name):
    out = preprocessor(name)(np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8))
    assert out.shape == (37, 51, 3)
    assert out.dtype == np.uint8


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("depth", {}, "needs controlnet_aux .MidasDetector"),
        ("cany", {}, "there is no preprocessor 'cany'; there are blur, canny"),
        ("canny", {"low": 3}, "canny has no low; it takes low_threshold, high_threshold, sigma"),
        ("luminance", {"x": 1}, "takes none"),
        ("canny", {"low_threshold": "much"}, "canny: low_threshold takes a number, not 'much'"),
        ("soft_edge", {"gain": None}, "gain takes a number"),
        ("blur", {"sigma": float("nan")}, "sigma takes a finite number"),
    ],
)
def test_what_cannot_be_had_is_told_in_words(name, values, word):
    with pytest.raises(NoPreprocessor, match=word):
        preprocessor(name, **values)


def test_a_blur_wider_than_the_picture_is_a_blur_and_takes_no_longer():
    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    assert preprocessor("blur", sigma=1e9)(picture).std() < 0.2 * picture.std()
    assert (preprocessor("blur", sigma="3")(picture) == preprocessor("blur", sigma=3)(picture)).all()
