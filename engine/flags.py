"""What stands behind a flag: read, or refused in words that name the flag."""

import argparse
import re

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^/?#@\s:]+)(:\d{1,5})?")


def size(text: str) -> tuple[int, int]:
    """`256x256` as (256, 256)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"a size is WIDTHxHEIGHT, as in 256x256, not {text!r}")
    pair = int(width), int(height)
    if any(not 64 <= side <= 4096 or side % 8 for side in pair):
        raise argparse.ArgumentTypeError(f"width and height are multiples of 8 from 64 to 4096, not {text}")
    return pair


def positive(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"this takes a number above 0, not {text!r}")
    return number


def whole(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"this takes a whole number above 0, not {text!r}")
    return int(text)


def port(text: str) -> int:
    """The number of a port; 0 lets the system choose."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a port is a number, not {text!r}") from None
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is outside 0..65535")
    return number


def said(text: str) -> str:
    """Any text but none: a variable of a script that is not set would otherwise pass for a flag left out."""
    if not text.strip():
        raise argparse.ArgumentTypeError("this is empty; leave the flag out, or say what is meant")
    return text


def origin(text: str) -> str:
    """An origin as browsers send it."""
    plain = text.strip().lower().removesuffix("/")
    if plain != "null" and not _ORIGIN.fullmatch(plain):
        raise argparse.ArgumentTypeError(f"an origin is http(s)://HOST[:PORT], as in https://my.site, not {text!r}")
    return plain
