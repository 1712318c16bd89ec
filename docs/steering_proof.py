"""Does it steer? What references, feedback and the similar-frame filter do to the model inside, as numbers and sheets.

    python docs/steering_proof.py [FOLDER] [--source demo|CLIP] [--size N] [--acceleration A]

ControlNet: how well the painted picture's edges follow the control picture's, out of noise alone, by the scale: the
better the higher it is up to 1, and as well beyond.
References: how far the painted picture's colours (means and deviations of its channels) are from the reference's, by
vace_context_scale. Feedback: the zoom from each picture to the next against the one that was asked for. Bank: how much
a still with a camera's noise flickers without and with it, and what is left of its detail. Filter: what is painted of a
still and of a cut, and the time it saves. Exit 1 when a line does not hold.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from clavilux.engine.brush import around
from clavilux.engine.core.assets import shipped_controlnets
from clavilux.engine.core.effects import Effects
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.model import Model
from clavilux.engine.diffusion.pixels import fitted
from clavilux.engine.diffusion.similar import SimilarFrames
from clavilux.engine.effects.preprocess import preprocessor
from clavilux.io.demo import DemoSource
from PIL import Image

DEFAULTS = {p.name: p.default for p in TABLE.values() if p.alias_of is None}
BASE = {
    **DEFAULTS,
    "prompts": (("ocean waves", 1.0),),
    "noise_scale": 0.6,
    "t_index_list": (10,),
    "manage_cache": False,
}
SCALES = (0.0, 0.5, 1.0, 1.5, 2.0)
CONTROLLED = ("fire", "ice", "pink flowers", "forest")
ZOOMS = (0.95, 1.0, 1.03, 1.06)
# Motion is measured on pictures of this side.
SIDE = 128


class Painter:
    """Pictures in, painted ones out, `rate` a second."""

    def __init__(self, model: Model, rate: float = 30.0, **more: Any) -> None:
        self.diffuser = Diffuser(model, size=model.size, synchronous=True, **more)
        self._paint = around(self.diffuser, self.diffuser.render, Effects()).render
        self._n, self._rate = 0, rate

    def __call__(self, pixels: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        made = self._paint(pixels, Snapshot(self._n, self._n / self._rate, {**BASE, **values}, (), 0.0))
        self._n += 1
        return made


def colours(pixels: np.ndarray) -> np.ndarray:
    """Means and deviations of the three channels."""
    flat = pixels.reshape(-1, 3).astype(float)
    return np.concatenate([flat.mean(0), flat.std(0)])


def zoom_of(before: np.ndarray, after: np.ndarray) -> float:
    """The zoom that takes one picture to the next; nan where none does.

    One affine motion for the whole middle, by the correlation of the grey levels (Evangelidis and Psarakis 2008): each
    pixel counts by its slope, and a loop that fades or drifts in brightness does not matter. Wide shades are left out:
    they have no place, and one that grows softer looks like one that grows.
    """
    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (before, after)]
    grey = [cv2.resize(x, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for x in grey]
    grey = [x - cv2.GaussianBlur(x, (0, 0), SIDE / 16) for x in grey]
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE - 0.5
    middle = (np.hypot(y, x) < 0.375).astype(np.uint8)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-7)
    try:
        _, motion = cv2.findTransformECC(
            grey[0], grey[1], np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, until, middle, 1
        )
    except cv2.error:  # it does not converge, or there is nothing to be seen
        return float("nan")
    return float(np.linalg.det(motion[:, :2])) ** 0.5


def edges(pixels: np.ndarray) -> np.ndarray:
    """Strength of the edges that are a few pixels wide, HxW."""
    light = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
    return np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))


def controlled(model: Model, source: np.ndarray, folder: Path) -> bool:
    net = {"model_id": str(shipped_controlnets()["embedded"]), "preprocessor": "canny"}
    tiles, agreed = [], []
    for prompt in CONTROLLED:
        rows = []
        for scale in SCALES:
            painter = Painter(
                model, rate=5.0, placed=Path, t_index_list=(0, 20),
                preprocess=lambda name, values: preprocessor(name, **values),
            )  # fmt: skip
            values = {"controlnet_config": (net,), "controlnet/0/scale": scale, "prompts": ((prompt, 1.0),)}
            values |= {"noise_scale": 1.0, "t_index_list": (0, 20)}
            made = [painter(source, values) for _ in range(6)][-1]
            tiles.append(made)
            rows.append(float(np.corrcoef(edges(source).ravel(), edges(made).ravel())[0, 1]))
        agreed.append(rows)
        tiles[-len(SCALES) : -len(SCALES)] = [source]
    means = np.mean(agreed, axis=0)
    print("controlnet scale", *SCALES, "| correlation of the edges:", *(f"{m:.2f}" for m in means))
    save(tiles, folder / "controlnet.jpg", columns=len(SCALES) + 1)
    full = SCALES.index(1.0)
    return bool((np.diff(means[: full + 1]) > 0).all() and (means[full:] > means[full] - 0.02).all())


def references(model: Model, source: np.ndarray, look: np.ndarray, folder: Path) -> bool:
    tiles, apart = [source, look], []
    for scale in SCALES:
        painter = Painter(model, rate=10.0, opened=lambda _: look)
        values = {"vace_ref_images": ("look",), "vace_context_scale": scale}
        tiles.append([painter(source, values) for _ in range(8)][-1])
        apart.append(float(np.abs(colours(tiles[-1]) - colours(look)).mean()))
    print("vace_context_scale", *SCALES, "| levels of 255 from the reference's colours:", *(f"{a:.1f}" for a in apart))
    save(tiles, folder / "reference.jpg")
    return apart == sorted(apart, reverse=True) and apart[-1] < apart[0]


def zooms(model: Model, source: np.ndarray, values: dict[str, Any]) -> tuple[list[float], list[np.ndarray]]:
    """The zoom that each of ZOOMS makes, and three moments of each."""
    tiles, found, grey = [], [], np.full_like(source, 110)
    for zoom in ZOOMS:
        painter = Painter(model)
        # A loop over a still stands still itself: the picture is put in once, and then its echo goes round alone.
        echo = {"feedback": 0.95, "feedback_zoom": zoom, **values}
        made = [painter(source if n < 3 else grey, echo) for n in range(12)]
        found.append(float(np.median([zoom_of(a, b) for a, b in pairwise(made[3:])])))
        tiles += made[3::3]
    return found, tiles


def zoomed(found: list[float], within: float, share: float) -> bool:
    """Whether each of ZOOMS was found, to `within` and a share of itself."""
    return all(abs(z - zoom) < within + share * abs(zoom - 1.0) for z, zoom in zip(found, ZOOMS, strict=True))


def feedback(model: Model, source: np.ndarray, folder: Path) -> bool:
    """The loop without the model is to zoom exactly, and what is painted out of new noise to follow it. The last two
    rows are told and not judged: noise that stands paints the same spots again in the same places."""
    loop, _ = zooms(model, source, {"noise_scale": 0.0})
    painted, tiles = zooms(model, source, {"noise_scale": 0.1, "seed": -1})
    print("feedback_zoom", *ZOOMS, "| zoom that the pictures show:", *(f"{z:.3f}" for z in painted))
    print("    not painted:", *(f"{z:.3f}" for z in loop))
    for noise in (0.1, 0.4):
        stands, _ = zooms(model, source, {"noise_scale": noise})
        print(f"    painted out of one and the same noise, noise_scale {noise}:", *(f"{z:.3f}" for z in stands))
    save(tiles, folder / "feedback-zoom.jpg", columns=3)
    return zoomed(loop, 0.002, 0.0) and zoomed(painted, 0.003, 0.25)


def filtered(model: Model, source: np.ndarray, other: np.ndarray) -> bool:
    took, painted = {}, 0
    for on in (False, True):
        painter = Painter(model, rate=10.0, similar=SimilarFrames() if on else None)
        for _ in range(12):  # at rest for a second first
            last = painter(source, {})
        began = time.perf_counter()
        for _ in range(22):
            made = painter(source, {})
            painted += on and made is not last
            last = made
        took[on] = (time.perf_counter() - began) / 22 * 1000
    cut = painter(other, {})
    at_once = float(np.abs(cut.astype(float) - last).mean()) > 2.0
    print(f"similar-frame filter: a still takes {took[True]:.1f} ms a frame instead of {took[False]:.1f}", end="; ")
    print(f"{painted} of 22 painted; a cut is painted {'at once' if at_once else 'LATE'}")
    return at_once and took[True] < 0.5 * took[False]


def steadied(model: Model, source: np.ndarray) -> bool:
    rng = np.random.default_rng(5)
    noisy = [np.clip(source + rng.normal(0, 5, source.shape), 0, 255).astype(np.uint8) for _ in range(40)]
    flicker, detail = {}, {}
    for on in (False, True):
        painter = Painter(model)
        made = [painter(picture, {"manage_cache": on}).astype(np.float32) for picture in noisy][15:]
        flicker[on] = float(np.mean([np.abs(b - a).mean() for a, b in pairwise(made)]))
        detail[on] = float(np.mean([cv2.Laplacian(picture.mean(2), cv2.CV_32F).var() for picture in made]))
    print(f"attention bank: neighbours of a noisy still differ by {flicker[False]:.2f} levels without, ", end="")
    print(f"{flicker[True]:.2f} with it; variance of the Laplacian {detail[False]:.1f}, {detail[True]:.1f}")
    return flicker[True] <= 0.5 * flicker[False] and detail[True] >= 0.9 * detail[False]


def save(tiles: list[np.ndarray], path: Path, columns: int = 0) -> None:
    columns = columns or len(tiles)
    rows = [np.concatenate(tiles[k : k + columns], 1) for k in range(0, len(tiles), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path, quality=85)


def pictures_of(source: str, size: int) -> list[np.ndarray]:
    """Up to 300 frames of the demo, or of a clip from its beginning."""
    if source == "demo":
        demo = DemoSource((size, size), 30.0)
        demo.open()
        return [demo.read().pixels.copy() for _ in range(300)]
    clip, found = cv2.VideoCapture(source), []
    while len(found) < 300 and (read := clip.read())[0]:
        found.append(fitted(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB), size, size))
    if len(found) < 100:
        raise SystemExit(f"{source} is no clip of 100 frames or more")
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("folder", nargs="?", default="docs/pictures")
    options.add_argument("--source", default="demo")
    options.add_argument("--size", type=int, default=128)
    options.add_argument("--acceleration", default="auto")
    asked = options.parse_args()
    model = load_model("embedded", asked.acceleration, (asked.size, asked.size))
    pictures = pictures_of(asked.source, asked.size)
    still, other = pictures[60], 255 - pictures[len(pictures) * 2 // 3]
    warm = np.random.default_rng(3).normal((210, 90, 30), 40, (16, 16, 3)).clip(0, 255).astype(np.uint8)
    look = np.asarray(Image.fromarray(warm).resize((asked.size, asked.size), Image.Resampling.BICUBIC))
    folder = Path(asked.folder)
    held = [controlled(model, still, folder)]
    held += [references(model, still, look, folder), feedback(model, still, folder)]
    held += [steadied(model, still), filtered(model, still, other)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
