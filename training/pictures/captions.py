"""Captions: many words and many shapes of sentence for the same thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .colour import say_colour
from .style import say_style
from .words import WORDS

PLAIN = (
    "{x}",
    "{x}",
    "{x}",
    "a photo of {x}",
    "a picture of {x}",
    "{x} in the dark",
    "an image of {x}",
    "beautiful {x}",
    "{x}, vivid",
)
COMPOSED = {
    "close": ("close-up of {x}", "{x}, close", "a macro shot of {x}", "{x} seen up close"),
    "wide": ("a wide view of {x}", "{x}, wide shot", "{x} from far away", "distant {x}"),
    "sparse": ("sparse {x}", "a few {x}", "{x}, minimal", "minimalist {x}"),
    "dense": ("dense {x}", "lots of {x}", "{x}, crowded and detailed", "intricate {x}"),
    "symmetrical": ("symmetrical {x}", "{x}, mirrored", "{x} with mirror symmetry"),
}
STYLED = ("{x}, {s}", "{x}, {s}", "{s} of {x}", "{x} in the style of {s}", "{s}: {x}")
ARTICLES = ("a ", "an ", "the ")


def coloured(rng: np.random.Generator, noun: str, colour: str) -> str:
    """Put colour words before the noun or after it."""
    word = " and ".join(say_colour(rng, part) for part in colour.split(" and "))
    bare = noun
    for article in ARTICLES:
        bare = bare.removeprefix(article)
    shape = rng.random()
    if shape < 0.65:
        return f"{word} {bare}"
    return f"{noun} in {word}" if shape < 0.85 else f"{noun}, {word} colours"


def say_concept(rng: np.random.Generator, nouns: Sequence[str]) -> str:
    """Three times in ten the concept's name (the first noun), three times another noun, else one of its WORDS."""
    name, *others = nouns
    which = rng.random()
    if which < 0.3:
        return name
    return str(rng.choice(others if which < 0.6 else WORDS.get(name, others)))


def caption(rng: np.random.Generator, nouns: Sequence[str], colour: str, style: str, composition: str) -> str:
    """A caption that says the concept always, and most of the rest."""
    noun = say_concept(rng, nouns)
    text = coloured(rng, noun, colour) if colour else noun
    if composition and rng.random() < 0.85:
        text = str(rng.choice(COMPOSED[composition])).format(x=text)
    elif rng.random() < 0.5:
        text = str(rng.choice(PLAIN)).format(x=text)
    if style:
        text = str(rng.choice(STYLED)).format(x=text, s=say_style(rng, style))
    return text
