"""The loop back: nothing at 0, a moving echo above it, the same in a second at any frame rate."""

import numpy as np
import pytest
from clavilux.engine.effects.feedback import Feedback

BLACK = np.zeros((64, 64, 3), np.uint8)


def dot(y: int, x: int) -> np.ndarray:
    picture = BLACK.copy()
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    return picture


def centre(pixels: np.ndarray) -> tuple[float, float]:
    light = pixels.astype(float).sum(-1)
    ys, xs = np.mgrid[:64, :64]
    return float((ys * light).sum() / light.sum()), float((xs * light).sum() / light.sum())


def play(at, seconds: float, fps: int, **values) -> np.ndarray:
    """A dot painted once, its echo going round alone."""
    feedback = Feedback()
    feedback.mixed(BLACK, at(0, fps, feedback=0.0, **values))
    feedback.keep(dot(24, 40))
    for n in range(1, round(seconds * fps) + 1):
        out = feedback.mixed(BLACK, at(n, fps, feedback=1.0, feedback_border="zeros", **values))
        feedback.keep(out)
    return out


def test_at_nought_the_input_is_the_very_same(at):
    feedback = Feedback()
    feedback.keep(dot(20, 20))
    assert feedback.mixed(BLACK, at(1)) is BLACK


def test_it_mixes_the_last_picture_in_by_its_share(at):
    feedback = Feedback()
    feedback.mixed(BLACK, at(0, feedback=0.5))
    feedback.keep(np.full_like(BLACK, 200))
    assert feedback.mixed(BLACK, at(1, feedback=0.25)).mean() == pytest.approx(50, abs=0.5)


def test_zoom_flows_outwards_and_back(at):
    y, x = centre(play(at, 0.2, 30, feedback_zoom=1.05))
    grown = 1.05**6
    assert (y, x) == pytest.approx((31.5 - 7.5 * grown, 31.5 + 8.5 * grown), abs=0.5)
    y, x = centre(play(at, 0.2, 30, feedback_zoom=0.95))
    assert (y, x) == pytest.approx((31.5 - 7.5 * 0.95**6, 31.5 + 8.5 * 0.95**6), abs=0.5)


@pytest.mark.parametrize("zoom", [0.96, 1.0, 1.02, 1.05])
def test_the_optical_flow_of_an_echo_is_its_zoom(at, zoom):
    """Farneback's flow from one picture to the next, fitted by a zoom about the middle."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (128, 128), np.uint8), (0, 0), 2.0)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    black = np.zeros((128, 128, 3), np.uint8)
    feedback = Feedback()
    feedback.mixed(black, at(0, feedback=0.0))
    shown = [np.repeat(texture[..., None], 3, 2)]
    for n in range(1, 4):
        feedback.keep(shown[-1])
        shown.append(feedback.mixed(black, at(n, feedback=0.98, feedback_zoom=zoom)))
    grey = [frame[..., 0] for frame in shown[-2:]]
    flow = cv2.calcOpticalFlowFarneback(*grey, np.zeros((128, 128, 2), np.float32), 0.5, 3, 15, 5, 5, 1.1, 0)
    y, x = np.mgrid[:128, :128] - 63.5
    middle = np.hypot(x, y) < 45
    found = ((flow[..., 0] * x + flow[..., 1] * y)[middle].sum()) / (x**2 + y**2)[middle].sum()
    assert found == pytest.approx(zoom - 1.0, abs=0.002 + 0.1 * abs(zoom - 1.0))


def test_pan_flows_right_and_down(at):
    assert centre(play(at, 0.2, 30, feedback_pan_x=0.02, feedback_pan_y=0.01)) == pytest.approx(
        (24 + 6 * 0.64, 40 + 6 * 1.28), abs=0.3
    )


def test_frame_rate_does_not_matter(at):
    moves = {"feedback_zoom": 1.04, "feedback_rotation": 2.0}
    assert centre(play(at, 0.4, 60, **moves)) == pytest.approx(centre(play(at, 0.4, 15, **moves)), abs=0.6)


def test_hue_turns_a_little_every_frame(at):
    feedback = Feedback()
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    feedback.mixed(red, at(0, feedback=1.0))
    feedback.keep(red)
    for n in range(1, 13):
        out = feedback.mixed(red, at(n, feedback=1.0, feedback_hue=10.0))
        feedback.keep(out)
    assert out[0, 0].argmax() == 1


def test_a_change_of_size_or_a_pause_makes_no_leap(at):
    feedback = Feedback()
    feedback.mixed(BLACK, at(0, feedback=1.0))
    feedback.keep(np.zeros((32, 32, 3), np.uint8))
    assert feedback.mixed(BLACK, at(1, feedback=1.0)) is BLACK
    feedback.keep(dot(24, 40))
    later = centre(feedback.mixed(BLACK, at(900, feedback=1.0, feedback_pan_x=0.01, feedback_border="zeros")))
    assert later[1] < 40 + 0.01 * 64 * 8
