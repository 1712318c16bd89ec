"""Colour words and what they do to a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .scene import Array, ramp, rgb

NAMED: dict[str, tuple[str, str, str]] = {  # dark, middle, light
    "red": ("120000", "d01818", "ffd0c0"),
    "orange": ("140600", "f07810", "ffe8c0"),
    "yellow": ("1a1400", "f0c818", "fffbd8"),
    "green": ("001206", "1cb040", "d8ffd8"),
    "turquoise": ("001414", "10b8b0", "d8fffa"),
    "blue": ("00041c", "1850e0", "cce4ff"),
    "purple": ("0c0018", "8828d8", "f0d8ff"),
    "pink": ("1c0410", "f04898", "ffe4f2"),
    "white": ("8890a0", "dce2ec", "ffffff"),
    "black": ("000000", "1c1c22", "8a8a96"),
    "golden": ("140a00", "d09020", "fff0b0"),
    "silver": ("08090c", "8c94a0", "f8faff"),
    "magenta": ("180014", "e010b0", "ffd0f8"),
    "cyan": ("001018", "10c0f0", "d8faff"),
    "brown": ("0c0502", "8a5028", "f0d8b8"),
    "grey": ("060606", "7c7c7c", "f4f4f4"),
}
MOODS: dict[str, tuple[str, str, str]] = {
    "warm": ("180408", "e86830", "ffe8a8"),
    "cold": ("040a1c", "3a7ac8", "e8f8ff"),
    "pastel": ("8a7aa8", "f0b8c8", "fff4e4"),
    "dark": ("000000", "14141e", "6a6878"),
    "toxic": ("040a00", "78d810", "f0ff80"),
    "dreamy": ("201848", "b078d8", "ffd8ec"),
    "sepia": ("100a04", "8c6a44", "f4e4c8"),
    "infrared": ("180028", "f02858", "fff0a0"),
    "acid": ("20004a", "f020c0", "d0ff20"),
    "icy": ("0a2038", "70c0e0", "ffffff"),
    "autumn": ("180802", "c05818", "f8d070"),
    "neon": ("08001c", "f010d0", "40fff0"),
}
SYNONYMS = {
    "golden": ["golden", "gold"],
    "grey": ["grey", "gray", "black and white", "monochrome"],
    "turquoise": ["turquoise", "teal"],
    "purple": ["purple", "violet"],
    "pink": ["pink", "rose"],
    "dark": ["dark", "gloomy", "shadowy"],
    "cold": ["cold", "cool"],
    "warm": ["warm", "cosy"],
    "pastel": ["pastel", "pale", "soft pastel"],
    "dreamy": ["dreamy", "lilac"],
    "neon": ["neon", "fluorescent"],
    "red": ["red", "crimson", "scarlet"],
    "blue": ["blue", "deep blue", "azure"],
    "green": ["green", "emerald"],
    "yellow": ["yellow", "lemon"],
    "brown": ["brown", "chestnut"],
    "autumn": ["autumn coloured", "autumnal"],
}


def luminance(pixels: Array) -> Array:
    """Rec. 709 weights."""
    return pixels @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def toned(pixels: Array, stops: list[tuple[float, str]], keep: float) -> Array:
    """Replace hues by a ramp over brightness, spread to the picture's own range; ``keep`` leaves some of the old."""
    light = luminance(np.clip(pixels, 0, 1))
    low, high = np.percentile(light[::4, ::4], (1, 99))
    spread = np.clip((light - low) / (high - low + 0.05), 0, 1)
    spread = 0.6 * spread + 0.4 * light
    return ramp(spread, stops) * (1 - keep) + pixels * keep


def draw_colour(rng: np.random.Generator, name: str | None = None) -> tuple[str, Callable[[Array], Array]]:
    """A colour word ('' for none) and its function; ``name`` asks for one, 'a and b' is a duotone."""
    if name is None:
        kind = rng.random()
        names, moods = list(NAMED), list(MOODS)
        if kind < 0.6:
            name = ""
        elif kind < 0.83:
            name = str(rng.choice(names))
        elif kind < 0.92:
            name = str(rng.choice(moods))
        else:
            a, b = rng.choice(len(names), 2, replace=False)
            name = f"{names[a]} and {names[b]}"
    if not name:
        return "", lambda pixels: pixels
    if " and " in name:
        one, two = (NAMED[part] for part in name.split(" and "))
        if rgb(one[1]).sum() > rgb(two[1]).sum():
            one, two = two, one
        stops = [(0, one[0]), (0.3, one[1]), (0.65, two[1]), (1, two[2])]
        return name, lambda pixels: toned(pixels, stops, 0.0)
    dark, middle, light = NAMED.get(name) or MOODS[name]
    keep = float(rng.uniform(0, 0.12))
    stops = [(0, dark), (float(rng.uniform(0.4, 0.58)), middle), (1, light)]
    return name, lambda pixels: toned(pixels, stops, keep)


def say_colour(rng: np.random.Generator, name: str) -> str:
    """One of the words for a colour."""
    return str(rng.choice(SYNONYMS.get(name, [name])))
