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


def titled(picture: np.ndarray, cell: int, title: str) -> np.ndarray:
    """A picture at cell x cell with a title along its lower edge; '' leaves it bare."""
    small = cv2.resize(picture, (cell, cell), interpolation=cv2.INTER_AREA)
    for thickness, tone in ((3, 0), (1, 255)) if title else ():
        cv2.putText(small, title, (3, cell - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.34, (tone,) * 3, thickness, cv2.LINE_AA)
    return small


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]], cell: int, titles: Sequence[str] = ()) -> None:
    """Rows of equal length, as one picture file; ``titles``, one for each picture, row by row."""
    named = iter(titles or [""] * sum(len(row) for row in rows))
    small = [np.concatenate([titled(p, cell, next(named)) for p in row], 1) for row in rows]
    cv2.imwrite(str(path), np.concatenate(small)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def concepts(painter: Painter, steps: int, each: int = 3, columns: int = 4) -> list[list[np.ndarray]]:
    """Every concept ``each`` times, ``columns`` concepts to a row, in the table's order."""
    prompts = [name for name in CONCEPTS for _ in range(each)]
    pictures = list(painter.paint(prompts, 5, steps))
    wide = each * columns
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % wide)
    return [pictures[k : k + wide] for k in range(0, len(pictures), wide)]


def concept_titles(each: int = 3, columns: int = 4) -> list[str]:
    """What ``concepts`` shows, named at the first of each."""
    names = [name if k == 0 else "" for name in CONCEPTS for k in range(each)]
    return names + [""] * (-len(names) % (each * columns))


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
        noises = painter.noises(1, 3, steps).expand(-1, frames, -1, -1, -1)
        rows.append(list(painter.paint_states(text, noises, steps)))
    return rows


def write_all(painter: Painter, out: Path, cell: int = 96) -> None:
    """Every sheet, as JPEGs in ``out``."""
    for steps in STEPS:
        write_sheet(out / f"concepts-{steps}.jpg", concepts(painter, steps), cell, concept_titles())
    colours = table(painter, COLOUR_CONCEPTS, [f"{name} {{}}" for name in NAMED])
    write_sheet(out / "colours.jpg", colours, cell, [f"{n} {c}" for n in NAMED for c in COLOUR_CONCEPTS])
    styles = table(painter, STYLE_CONCEPTS, [f"{{}}, {name}" for name in STYLES])
    write_sheet(
        out / "styles.jpg",
        styles,
        cell,
        [name if k == 0 else "" for name in STYLES for k in range(len(STYLE_CONCEPTS))],
    )
    shares = [f"{a} - {b}" if k == 0 else "" for a, b in TRANSITIONS for k in range(12)]
    write_sheet(out / "transitions.jpg", transitions(painter), cell, shares)
    photo = held_out(painter.size)["astronaut"]
    swept = [[painter.repaint(photo, p, s) for s in SCALES] for p in PHOTO_PROMPTS]
    write_sheet(out / "photograph.jpg", swept, cell, [f"{p} {s}" for p in PHOTO_PROMPTS for s in SCALES])
