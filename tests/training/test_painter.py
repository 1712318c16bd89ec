"""The figures and sheets show what the engine plays."""

from pathlib import Path

import numpy as np
import pytest
from clavilux.engine import create_wrapper_from_config

EMBEDDED = Path(__file__).resolve().parents[2] / "engine" / "embedded"
PLAIN = {
    "model_id": "embedded", "width": 128, "height": 128, "mode": "txt2img", "output_type": "np", "acceleration": "none",
    "dtype": "float32", "cfg_type": "none", "guidance_scale": 1.0, "noise_scale": 1.0, "seed": 2,
    "use_denoising_batch": False, "prompt": "burning fire",
}  # fmt: skip


@pytest.mark.parametrize("steps", [2, 4])
def test_a_picture_out_of_noise_is_the_one_that_a_show_paints(steps):
    from training.painter import STEPS, Painter, encoder

    painter = Painter.load(EMBEDDED / "unet", EMBEDDED / "vae", 128)
    [marked] = painter.paint_states(encoder()(["burning fire"]), painter.noises(1, 2, steps), steps)
    wrapper = create_wrapper_from_config({**PLAIN, "t_index_list": STEPS[steps]})
    wrapper.stream.set({"manage_cache": False})
    played = np.rint(wrapper() * 255)
    wrapper.close()
    assert np.abs(played - marked).mean() < 1.0


@pytest.mark.parametrize("scale", [0.4, 0.8])
def test_a_photograph_repainted_is_the_one_that_a_show_paints(scale):
    from training.painter import Painter
    from training.photos import held_out

    photo = held_out(128)["astronaut"]
    marked = Painter.load(EMBEDDED / "unet", EMBEDDED / "vae", 128).repaint(photo, "burning fire", scale)
    wrapper = create_wrapper_from_config({**PLAIN, "mode": "img2img", "noise_scale": scale, "t_index_list": [0, 20]})
    wrapper.stream.set({"manage_cache": False})
    played = np.rint(wrapper(photo) * 255)
    wrapper.close()
    assert np.abs(played - marked).mean() < 1.0
