"""The open vocabulary: many words for every concept, none of another concept, none of those kept for measuring."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("cv2")

from training.paraphrases import PARAPHRASES
from training.pictures import CONCEPTS
from training.pictures.captions import say_concept
from training.pictures.words import WORDS


def bare(phrase: str) -> str:
    """Without articles, and with a space around every word so that ``in`` finds whole words."""
    return f" {' '.join(word for word in phrase.split() if word not in ('a', 'an', 'the'))} "


def test_every_concept_has_many_short_words():
    assert set(WORDS) == set(CONCEPTS)
    for name, phrases in WORDS.items():
        assert 40 <= len(phrases) <= 75, name
        assert all(phrase == phrase.lower() and 1 <= len(phrase.split()) <= 6 for phrase in phrases), name


def test_no_word_is_said_twice():
    counts = Counter(bare(phrase) for phrases in WORDS.values() for phrase in phrases)
    counts.update({bare(noun) for concept in CONCEPTS.values() for noun in concept.nouns})
    assert not [phrase for phrase, count in counts.items() if count > 1]


def test_no_word_is_in_a_paraphrase_nor_the_other_way_round():
    held_out = [bare(phrase) for phrases in PARAPHRASES.values() for phrase in phrases]
    words = [bare(phrase) for phrases in WORDS.values() for phrase in phrases]
    assert not [(word, held) for word in words for held in held_out if word in held or held in word]


@pytest.mark.parametrize("name", list(CONCEPTS))
def test_captions_say_a_concept_in_many_ways(name: str):
    rng = np.random.default_rng(1)
    said = Counter(say_concept(rng, CONCEPTS[name].nouns) for _ in range(2000))
    assert len(said) >= 40
    assert 500 < said[name] < 700
    assert 700 < sum(said[word] for word in WORDS[name]) < 900
