"""Further words for every concept, so that a prompt may use what no painter lists: ``WORDS[name]``."""

from __future__ import annotations

from .words_made import MADE
from .words_nature import NATURE
from .words_said import SAID


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text that parts them by commas, over any number of lines."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


WORDS: dict[str, tuple[str, ...]] = {
    name: phrases(text) + phrases(SAID[name]) for name, text in (NATURE | MADE).items()
}
