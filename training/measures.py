"""Figures of the model card: colours, unseen words, steadiness in time, distance of distributions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import torch

from .judge import Judge, classify, to_input
from .paraphrases import PARAPHRASES
from .pictures import CONCEPTS, make_picture
from .pictures.colour import NAMED
from .pictures.scene import rgb

Paint = Callable[[list[str], int], np.ndarray]
Repaint = Callable[[np.ndarray, str, float], np.ndarray]
HUES = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
COLOURED = ("fire", "forest", "crystals", "clouds", "galaxy", "ocean waves", "flowers", "smoke")


def hue_of(picture: np.ndarray) -> str:
    """The named hue nearest to the picture's mean chroma, as an angle in CIELAB."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    a, b = lab[..., 1:].reshape(-1, 2).mean(0)
    angles = {}
    for name in HUES:
        middle = np.broadcast_to(rgb(NAMED[name][1]), (1, 1, 3)).astype(np.float32)
        _, ca, cb = cv2.cvtColor(middle, cv2.COLOR_RGB2LAB)[0, 0]
        angles[name] = abs(np.angle(complex(a, b) / complex(ca, cb)))
    return min(angles, key=lambda name: angles[name])


def colour_accuracy(paint: Paint) -> dict[str, float]:
    """Share of '<hue> <concept>' pictures whose hue is the one asked for; and of the generator's own, the ceiling."""
    asked = [(hue, concept) for hue in HUES for concept in COLOURED]
    made = paint([f"{hue} {concept}" for hue, concept in asked], 11)
    right = [hue_of(picture) == hue for picture, (hue, _) in zip(made, asked, strict=True)]
    real = [hue_of(make_picture(77 + k, 128, c, h, "").pixels) == h for k, (h, c) in enumerate(asked)]
    return {"colour": round(float(np.mean(right)), 3), "colour_ceiling": round(float(np.mean(real)), 3)}


def spread(pictures: np.ndarray) -> float:
    """How far pictures GxExHxWx3 of G groups lie apart within their group: the deviation of their 8x8 thumbnails, in
    levels of 255. Layout and colour count, texture does not."""
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    small = np.stack([cv2.resize(p, (8, 8), interpolation=cv2.INTER_AREA) for p in flat]).astype(np.float32)
    return float(small.reshape(*pictures.shape[:2], -1).std(1, ddof=1).mean())


def variety(made: np.ndarray, seed: int = 600_000_000) -> float:
    """The spread of pictures from the concepts' names alone, in order, GxExHxWx3, as a share of the generator's."""
    each, names = made.shape[1], list(CONCEPTS)
    real = [make_picture(seed + k, 128, name, "", "").pixels for name in names for k in range(each)]
    return round(spread(made) / spread(np.stack(real).reshape(len(names), each, 128, 128, 3)), 2)


def paraphrase_accuracy(paint: Paint, judge: Judge) -> dict[str, object]:
    """Top-1 over words that no caption used."""
    names = list(CONCEPTS)
    asked = [(words, concept) for concept, phrases in PARAPHRASES.items() for words in phrases]
    guess = classify(judge, paint([words for words, _ in asked], 13))
    right = np.array([names[g] == concept for g, (_, concept) in zip(guess, asked, strict=True)])
    missed = [words for (words, _), hit in zip(asked, right, strict=True) if not hit]
    return {"paraphrases": len(asked), "accuracy": round(float(right.mean()), 3), "missed": missed}


def frechet(judge: Judge, paint: Paint, count: int = 2000, seed: int = 500_000_000) -> float:
    """Frechet distance (Heusel et al. 2017) of the judge's features: generator pictures against painted captions."""
    captions, real = shown(judge, count, seed)
    made = [features(judge, paint(list(captions[start : start + 64]), seed + start)) for start in range(0, count, 64)]
    return _distance(real, np.concatenate(made))


@lru_cache(1)
def shown(judge: Judge, count: int, seed: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The captions of ``count`` generator pictures, and what the judge sees in them."""
    captions, found = [], []
    for start in range(0, count, 64):
        pictures = [make_picture(seed + k, 128) for k in range(start, min(start + 64, count))]
        captions += [picture.caption for picture in pictures]
        found.append(features(judge, np.stack([picture.pixels for picture in pictures])))
    return tuple(captions), np.concatenate(found)


@torch.no_grad()
def features(judge: Judge, pictures: np.ndarray) -> np.ndarray:
    """Nx192, in double precision."""
    return judge.features(to_input(pictures)).double().numpy()


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """|mean difference|^2 + trace(Ca + Cb - 2 sqrt(Ca Cb)); trace sqrt(Ca Cb) is the roots' product's nuclear norm."""
    ca, cb = np.cov(a.T), np.cov(b.T)
    roots = np.linalg.svd(_root(ca) @ _root(cb), compute_uv=False).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * roots)


def burnt(pictures: np.ndarray) -> float:
    """Share of the channel values that are at either end, 0 or 255: what burning out looks like in numbers."""
    return float(((pictures == 0) | (pictures == 255)).mean())


def guidance_figures(paint: Callable[[list[str], int, float, str], np.ndarray], judge: Judge) -> dict[str, object]:
    """What guidance 1 to 3 does to accuracy and to burnt values, and what a negative prompt takes away.

    ``paint`` takes prompts, seed, guidance and negative prompt. ``negative``: share of pictures of '<hue> <concept>'
    that still have the hue at guidance 2 with the hue as negative prompt, against without it.
    """
    names = list(CONCEPTS)
    figures: dict[str, object] = {}
    for scale in (1.0, 1.5, 2.0, 3.0):
        made = paint(names, 17, scale, "")
        right = float((classify(judge, made) == np.arange(len(names))).mean())
        figures[str(scale)] = {"accuracy": round(right, 3), "burnt": round(burnt(made), 3)}
    kept = {}
    for word, use in (("without", False), ("with", True)):
        hits = []
        for hue in HUES:
            made = paint([f"{hue} {concept}" for concept in COLOURED], 19, 2.0, hue if use else "")
            hits += [hue_of(picture) == hue for picture in made]
        kept[word] = round(float(np.mean(hits)), 3)
    figures["negative"] = kept
    return figures


def edges_of(picture: np.ndarray) -> np.ndarray:
    """Strength of the edges that are a few pixels wide, HxW."""
    light = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 2)
    return np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))


def structure(
    repaint: Repaint,
    judge: Judge,
    photo: np.ndarray,
    prompts: tuple[str, ...] = ("fire", "ocean waves", "forest", "lava"),
) -> dict[str, dict[str, float]]:
    """By noise_scale: correlation of the output's edges with the photograph's, and the judge's belief in the prompt."""
    figures = {}
    names = list(CONCEPTS)
    for scale in (0.2, 0.4, 0.6, 0.8, 1.0):
        made = np.stack([repaint(photo, prompt, scale) for prompt in prompts])
        kept = [np.corrcoef(edges_of(photo).ravel(), edges_of(m).ravel())[0, 1] for m in made]
        with torch.no_grad():
            belief = judge(to_input(made)).softmax(1)[range(len(prompts)), [names.index(p) for p in prompts]]
        figures[str(scale)] = {"edges": round(float(np.mean(kept)), 2), "prompt": round(float(belief.mean()), 2)}
    return figures


def steadiness(
    repaint: Repaint, photo: np.ndarray, prompt: str = "ocean waves", scale: float = 0.5
) -> dict[str, float]:
    """How much more the picture moves than its input: sensor noise on a still, and a pan of a pixel a frame.

    Mean absolute frame-to-frame difference of the output over the input's; 1 is as steady as the input.
    """
    rng = np.random.default_rng(3)
    noisy = [np.clip(photo + rng.normal(0, 4, photo.shape), 0, 255).astype(np.uint8) for _ in range(5)]
    pan = [np.roll(photo, k, axis=1) for k in range(5)]

    def motion(frames: list[np.ndarray]) -> float:
        return float(np.mean([np.abs(a.astype(float) - b).mean() for a, b in pairwise(frames)]))

    def ratio(frames: list[np.ndarray]) -> float:
        return round(motion([repaint(frame, prompt, scale) for frame in frames]) / motion(frames), 2)

    still = motion([repaint(photo, prompt, scale) for _ in range(2)])
    return {"still": round(still, 3), "sensor_noise": ratio(noisy), "pan": ratio(pan)}
