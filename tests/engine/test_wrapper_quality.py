"""`adaptive_quality` under the Python API: frames as dear as they are allowed to be, by the machine's own time."""

import itertools

import numpy as np
import pytest
from clavilux.engine import create_wrapper_from_config, load_config
from clavilux.engine.core.clock import ManualClock


@pytest.fixture
def watched(config, monkeypatch):
    """A wrapper on whose watch, a ManualClock, every step of a frame takes 100 ms; and that watch."""
    watch = ManualClock()
    monkeypatch.setattr("clavilux.engine.wrapper.SystemClock", lambda: watch)
    made = create_wrapper_from_config(load_config(config), width=128, height=128)
    unet = made.stream._brush.group.__self__._canvas.group.__self__._sampler._unet
    plain = unet.__class__.__call__

    def slow(self, x_t, *rest):
        watch.advance(0.100 * x_t.shape[-1] * x_t.shape[-2] / 256)
        return plain(self, x_t, *rest)

    monkeypatch.setattr(unet.__class__, "__call__", slow)
    yield made, watch
    made.close()


def seconds_of(wrapper, watch, picture, seconds):
    """Frames for so long on the watch, one right after the other; what the last one took."""
    end, took = watch.now() + seconds, 0.0
    while watch.now() < end:
        began = watch.now()
        wrapper(picture)
        took = watch.now() - began
        watch.advance(0.001)
    return took


def test_adaptive_quality_holds_the_frame_rate_and_gives_it_back(watched, picture):
    wrapper, watch = watched
    assert seconds_of(wrapper, watch, picture, 2) == pytest.approx(0.400)  # four steps
    wrapper.update_stream_params(adaptive_quality=True, target_fps=4)
    assert seconds_of(wrapper, watch, picture, 12) <= 0.250 * 1.05
    assert wrapper.get_stream_state()["t_index_list"] == [5, 15, 30, 45]  # what is asked for stands
    wrapper.update_stream_params(target_fps=1)
    assert seconds_of(wrapper, watch, picture, 20) == pytest.approx(0.400)
    wrapper.update_stream_params(target_fps=4)
    seconds_of(wrapper, watch, picture, 12)
    wrapper.update_stream_params(adaptive_quality=False)
    assert seconds_of(wrapper, watch, picture, 2) == pytest.approx(0.400)


def test_adaptive_quality_changes_no_picture_by_a_cut_and_leaves_latents_their_size(watched, picture):
    wrapper, watch = watched
    outs = [np.asarray(wrapper(picture), np.float32) for _ in range(5)]
    wrapper.update_stream_params(adaptive_quality=True, target_fps=120)  # steps alone cannot hold it
    while watch.now() < 12:
        outs.append(np.asarray(wrapper(picture), np.float32))
    apart = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(outs)]
    assert max(apart) < 0.35 * float(np.abs(outs[-1] - outs[0]).mean()) + 2
    assert {out.shape for out in outs} == {(128, 128, 3)}
    wrapper.output_type = "latent"
    assert wrapper(picture).shape[-2:] == (16, 16)
