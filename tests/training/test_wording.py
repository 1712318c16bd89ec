"""Captions in other words, and the projection that takes them back to the plainest."""

import numpy as np
import pytest
import torch

pytest.importorskip("cv2")

from training.paraphrases import PARAPHRASES
from training.wording import NAMES, NOTHING, learn, pair, vocabulary


def test_a_pair_says_the_same_thing_twice():
    nouns, _ = vocabulary(0.0)
    rng = np.random.default_rng(0)
    for _ in range(200):
        said, plain, concept = pair(rng, nouns)
        assert NAMES[concept] in plain
        assert NAMES[concept] in said or any(noun.split(" ", 1)[-1] in said for noun in nouns[NAMES[concept]])
        assert ("a woodcut" in plain) == any(word in said for word in ("woodcut", "an engraving", "linocut"))


def test_words_that_are_left_out_are_in_no_caption_and_measures_are_never_learned():
    kept, out = vocabulary(0.3)
    assert 0.2 < len(out) / (len(out) + sum(map(len, kept.values()))) < 0.4
    assert all(word not in kept[NAMES[concept]] for word, concept in out)
    everything, nothing = vocabulary(0.0)
    assert nothing == []
    measured = {word for words in PARAPHRASES.values() for word in words}
    assert not measured & {word for words in everything.values() for word in words}


def test_what_is_learned_takes_strange_words_to_plain_ones():
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(3, 16, generator=generator)
    concepts = torch.randint(3, (600,), generator=generator)
    said = centres[concepts] + 0.4 * torch.randn(600, 16, generator=generator)
    torch.manual_seed(0)
    projection = learn(said, 2 * centres[concepts], concepts, 20, generator)
    assert projection.memory.shape == (NOTHING + 1, 16)
    fresh = centres[concepts] + 0.4 * torch.randn(600, 16, generator=generator)
    with torch.no_grad():
        made = projection(fresh)
    assert (made - 2 * centres[concepts]).square().mean() < 0.4 * (fresh - 2 * centres[concepts]).square().mean()
