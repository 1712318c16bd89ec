"""The nearest name: what a misspelt word may have meant. A far-fetched guess helps nobody, so there is none."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import PurePath

# How like a name has to be: so much anyhow, or so much where both begin with the same letters.
_LIKE, _LIKE_WITH_BEGINNING, _BEGINNING = 0.7, 0.6, 3


def closest(name: str, known: Iterable[str], least: float = _LIKE) -> str | None:
    """The one of `known` that `name` is a slip of, however its letters are written; None where it is like none.

    `least`: how like, 0..1, as difflib counts it. Two names that begin alike may be a little less so, but no less than
    is asked for beyond the usual.
    """
    matcher = SequenceMatcher()
    matcher.set_seq2(name.lower())
    best: tuple[float, str] | None = None
    for candidate in known:
        matcher.set_seq1(candidate.lower())
        enough = _LIKE_WITH_BEGINNING if least == _LIKE and _begin_alike(name, candidate) else least
        if matcher.real_quick_ratio() < enough or matcher.quick_ratio() < enough:
            continue
        ratio = matcher.ratio()
        if ratio >= enough and (best is None or ratio > best[0]):
            best = ratio, candidate
    return best[1] if best else None


def closest_file(name: str, known: Iterable[str]) -> str | None:
    """The same for files. What they end in says nothing of their names, so it is left out of the comparison."""
    names = list(known)
    found = closest(PurePath(name).stem, [PurePath(n).stem for n in names])
    alike = [n for n in names if PurePath(n).stem == found]
    return next((n for n in alike if PurePath(n).suffix == PurePath(name).suffix), alike[0] if alike else None)


def _begin_alike(a: str, b: str) -> bool:
    return len(a) >= _BEGINNING and a[:_BEGINNING].lower() == b[:_BEGINNING].lower()
