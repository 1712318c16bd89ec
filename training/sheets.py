"""Contact sheets of a trained model: what the figures cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from .painter import STEPS, Painter, encoder
from .photos import held_out
from .pictures import CONCEPTS
from .pictures.colour import NAMED
from .pictures.style import STYLES

PHOTO_PROMPTS = ("fire", "ocean waves", "a neon grid", "oil painting of a face", "blue crystals", "galaxy")
SCALES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
COLOUR_CONCEPTS = ("fire", "forest", "crystals", "clouds", "galaxy", "ocean waves", "flowers", "liquid metal")
STYLE_CONCEPTS = ("mountains", "city at night", "flowers", "face", "ocean waves", "forest")
TRANSITIONS = (
    ("fire", "ocean waves"),
    ("forest", "city at night"),
    ("aurora", "sunset"),
    ("galaxy", "flowers"),
    ("lava", "ice"),
    ("clouds", "underwater"),
    ("neon grid", "sand dunes"),
    ("crystals", "feathers"),
)


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]], cell: int) -> None:
    """Rows of equal length, as one PNG."""
    small = [[cv2.resize(p, (cell, cell), interpolation=cv2.INTER_AREA) for p in row] for row in rows]
    cv2.imwrite(str(path), np.concatenate([np.concatenate(row, 1) for row in small])[..., ::-1])


def concepts(painter: Painter, steps: int, each: int = 3, columns: int = 4) -> list[list[np.ndarray]]:
    """Every concept ``each`` times, ``columns`` concepts to a row, in the table's order."""
    prompts = [name for name in CONCEPTS for _ in range(each)]
    pictures = list(painter.paint(prompts, 5, steps))
    wide = each * columns
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % wide)
    return [pictures[k : k + wide] for k in range(0, len(pictures), wide)]


def table(painter: Painter, columns: Sequence[str], rows: Sequence[str], steps: int = 2) -> list[list[np.ndarray]]:
    """One picture for each row and column; ``rows`` hold ``{}`` where the column's words go."""
    return [list(painter.paint([row.format(word) for word in columns], 7, steps)) for row in rows]


def transitions(painter: Painter, frames: int = 12, steps: int = 2) -> list[list[np.ndarray]]:
    """Each pair of prompts blended linearly over ``frames``, noise fixed."""
    rows = []
    for a, b in TRANSITIONS:
        states, pooled = encoder()([a, b])
        share = torch.linspace(0, 1, frames)
        text = (
            torch.lerp(states[:1], states[1:], share[:, None, None]),
            torch.lerp(pooled[:1], pooled[1:], share[:, None]),
        )
        rows.append(list(painter.paint_states(text, painter.noise(1, 3).expand(frames, -1, -1, -1), steps)))
    return rows


def write_all(painter: Painter, out: Path) -> None:
    """Every sheet, as PNGs in ``out``."""
    for steps in STEPS:
        write_sheet(out / f"concepts_{steps}.png", concepts(painter, steps), 96)
    write_sheet(out / "colours.png", table(painter, COLOUR_CONCEPTS, [f"{name} {{}}" for name in NAMED]), 96)
    write_sheet(out / "styles.png", table(painter, STYLE_CONCEPTS, [f"{{}}, {name}" for name in STYLES]), 128)
    write_sheet(out / "transitions.png", transitions(painter), 96)
    photo = held_out(painter.size)["astronaut"]
    write_sheet(out / "photo.png", [[painter.repaint(photo, p, s) for s in SCALES] for p in PHOTO_PROMPTS], 128)
