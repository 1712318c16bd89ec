"""A decoder whose numbers are no picture: nothing black is shown, the frame is left out and said so."""

import shutil

import pytest
from clavilux.engine.diffusion.diffuser import Diffuser, RenderFailed
from clavilux.engine.diffusion.model import load_model


def broken(folder, path, value):
    """A copy of the model `folder` whose decoder adds `value` to all it makes."""
    from diffusers import AutoencoderTiny

    shutil.copytree(folder, path)
    vae = AutoencoderTiny.from_pretrained(path / "vae")
    last = [m for m in vae.decoder.modules() if getattr(m, "bias", None) is not None][-1]
    last.bias.data.fill_(value)
    vae.save_pretrained(path / "vae")
    return path


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("acceleration", "value"), [("none", NAN), ("none", INF), ("openvino", NAN)])
def test_no_frame_is_made_of_what_is_not_finite(sentence_folder, tmp_path, at, clip, acceleration, value):
    folder = broken(sentence_folder, tmp_path / "broken", value)
    model = load_model(folder, acceleration=acceleration, size=(64, 64))
    assert model.acceleration == acceleration
    painter = Diffuser(model, synchronous=True)
    with pytest.raises(RenderFailed, match=r"decoder.*not finite"):
        painter.render(clip[0], at(0))
    assert (painter.render(clip[0], at(1, noise_scale=0.0)) == clip[0]).all()
