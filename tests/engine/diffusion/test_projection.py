"""Any wording into the words that a model knows best."""

import shutil

import pytest
import torch
from clavilux.engine.diffusion.projection import FOLDER, Projection, load_projection
from clavilux.engine.diffusion.reading import said_of
from clavilux.engine.diffusion.shelf import folder_of
from clavilux.engine.diffusion.text import load_text
from clavilux.engine.diffusion.weights import ModelMistake
from safetensors.torch import save_file

SAID = {
    "northern lights over the snow": "aurora",
    "something burning fiercely": "fire",
    "a pine grove": "forest",
    "the himalayas": "mountains",
    "a beehive": "hexagons",
    "surf rolling in": "ocean waves",
    "melted steel": "liquid metal",
}


def test_what_people_say_comes_to_what_the_model_inside_was_taught():
    folder = folder_of("embedded")
    read = load_text(folder, said_of(folder), "cpu", torch.float32)
    names = torch.cat([one.pooled for one in read(sorted(SAID.values()))])
    said = torch.cat([one.pooled for one in read(list(SAID))])
    nearest = torch.cdist(said, names).argmin(1)
    assert [sorted(SAID.values())[k] for k in nearest] == list(SAID.values())


def test_a_colour_that_is_asked_for_is_still_said():
    folder = folder_of("embedded")
    read = load_text(folder, said_of(folder), "cpu", torch.float32)
    red, blue, asked = (one.pooled for one in read(["red ocean waves", "blue ocean waves", "crimson surf rolling in"]))
    assert torch.dist(asked, red) < torch.dist(asked, blue)


def test_a_folder_with_one_puts_pooled_text_through_it_and_leaves_the_tokens(sentence_folder, tmp_path):
    folder = shutil.copytree(sentence_folder, tmp_path / "model")
    before = load_text(folder, said_of(folder), "cpu", torch.float32)(["a cat"])[0]
    projection = Projection(before.pooled.shape[1], 8, 3)
    write(projection, folder)
    made = load_text(folder, said_of(folder), "cpu", torch.float32)(["a cat"])[0]
    assert torch.equal(made.states, before.states)
    with torch.no_grad():
        assert torch.allclose(made.pooled, projection(before.pooled), atol=1e-3)


def write(projection: Projection, folder) -> None:
    import json

    place = folder / FOLDER
    place.mkdir()
    (place / "config.json").write_text(json.dumps(projection.config))
    save_file(projection.state_dict(), place / "model.safetensors")


def harm_weights(place):
    (place / "model.safetensors").write_bytes(b"nothing")


def harm_config(place):
    (place / "config.json").write_text('{"width": 4}')


def harm_shape(place):
    save_file({"memory": torch.zeros(2, 2)}, place / "model.safetensors")


@pytest.mark.parametrize("harm", [harm_weights, harm_config, harm_shape])
def test_a_damaged_one_is_told_in_words(tmp_path, harm):
    assert load_projection(tmp_path) is None
    write(Projection(4, 8, 3), tmp_path)
    assert load_projection(tmp_path) is not None
    harm(tmp_path / FOLDER)
    with pytest.raises(ModelMistake, match=r"text_projection cannot be read"):
        load_projection(tmp_path)
