"""The built-in demo: a walk through an endless row of gates over water, towards a moving sun.

Painted by numpy as a pure function of the frame number. It is made to be repainted: large shapes with clear edges,
real depth, a swinging figure, colours that drift and a change of light every five seconds.
"""

from dataclasses import dataclass
from math import cos, exp, sin, tau

import numpy as np

from ..engine.core.frame import Frame
from .canvas import Canvas, cloud_bank, ridge, unit

# World units: the eye is EYE above the water and looks along z; FOCAL is in picture heights.
EYE, FOCAL = 1.0, 0.9
SPEED, SPACING, FARTHEST = 0.8, 3.2, 6
SPAN, PILLAR, HEIGHT = 1.6, 0.18, 2.9
PATH, PLANK = 0.42, 0.55
SCENE_SECONDS, CHANGE_SECONDS = 5.0, 1.4

# One row a scene: sky high, sky low, sun, gate, water, mountain; RGB.
_SCENES = np.array(
    [
        [(26, 56, 128), (250, 168, 107), (255, 230, 158), (209, 41, 26), (26, 66, 97), (77, 69, 115)],
        [(41, 133, 219), (199, 235, 245), (255, 255, 230), (237, 92, 36), (15, 107, 122), (66, 117, 128)],
        [(77, 15, 87), (255, 107, 56), (255, 179, 61), (41, 20, 56), (77, 20, 66), (87, 20, 77)],
        [(5, 8, 31), (31, 77, 128), (219, 240, 255), (26, 158, 179), (5, 18, 41), (13, 26, 56)],
        [(56, 102, 87), (240, 224, 148), (255, 245, 199), (128, 26, 87), (31, 77, 56), (51, 92, 71)],
    ],
    np.float32,
) / np.float32(255)


@dataclass(frozen=True, slots=True)
class _View:
    """One moment: `z` walked, the vanishing point in pixels, the sun in pixels, the scene's six colours."""

    t: float
    z: float
    vx: float
    horizon: float
    sun: tuple[float, float, float]
    colours: np.ndarray


class DemoSource:
    """The demo at `size` (width, height) and `fps`; frame n is always the same picture."""

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self.name = "demo"
        self.fps: float | None = fps
        self.live = False
        self._rate = fps
        self._painter = Painter(size)
        self._n = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame:
        n, self._n = self._n, self._n + 1
        return Frame(self._painter.paint(n / self._rate), n, n / self._rate)

    def seek(self, n: int) -> None:
        self._n = n

    def close(self) -> None:
        pass


class Painter:
    """What does not change between frames, made once for a size."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.w, self.h = w, h = size
        random = np.random.default_rng(1919)
        self.canvas = Canvas(size)
        self.x, self.y = self.canvas.x, self.canvas.y
        yy, xx = np.mgrid[-h : h + 1, -w : w + 1].astype(np.float32) / h
        distance = np.hypot(xx, yy)
        self.glow = (np.exp(-distance * 7) * 0.5 + np.exp(-distance * 2.6) * 0.45).astype(np.float32)
        self.clouds = cloud_bank(random, h, w)
        self.ridges = [ridge(random, w, rough) * h for rough in (0.7, 1.0)]
        self.sparkle = random.random((h * 2, w), dtype=np.float32)
        from_centre = np.hypot((self.x / w - 0.5)[None], (self.y / h - 0.5)[:, None])
        self.vignette = (255 * (1.06 - 0.75 * from_centre**2)).astype(np.float32)
        # Half a level of noise, fixed, so that the wide gradients do not band.
        self.dither = random.random((h, w), dtype=np.float32)

    def paint(self, t: float) -> np.ndarray:
        """The picture at `t` seconds: uint8 (height, width, 3)."""
        view = self._view(t)
        canvas = self.canvas
        self._sky(canvas, view)
        self._mountains(canvas, view)
        self._water(canvas, view)
        self._path(canvas, view)
        self._gates(canvas, view)
        self._lanterns(canvas, view)
        return canvas.picture(self.vignette, self.dither)

    def _view(self, t: float) -> _View:
        scene, into = divmod(t / SCENE_SECONDS, 1.0)
        change = CHANGE_SECONDS / SCENE_SECONDS
        mix = _smooth((into - 1 + change) / change)
        colours = _scene(int(scene)) * (1 - mix) + _scene(int(scene) + 1) * mix
        # Colours drift a little all the time, so that no moment stands still.
        colours = colours * (1 + 0.07 * np.sin(np.array([0, 2.1, 4.2], np.float32) + t * 0.9 % tau))
        h, w = self.h, self.w
        side = min(h, w)
        horizon = h * (0.575 + 0.02 * sin(t * 0.83))
        vx = w * 0.5 + side * 0.10 * sin(t * 0.41)
        sun_x = vx + side * 0.30 * sin(t * 0.52 + 0.6)
        sun_y = horizon - h * (0.25 + 0.12 * sin(t * 0.37 + 1.0))
        return _View(t, t * SPEED, vx, horizon, (sun_x, sun_y, side * 0.13), colours)

    def _sky(self, canvas: Canvas, view: _View) -> None:
        rows = int(view.horizon) + 1
        high, low, sun = view.colours[0], view.colours[1], view.colours[2]
        up = unit(self.y[:rows] / view.horizon) ** 1.4
        sky = canvas.planes[:, :rows]
        sky[:] = (high[:, None] * (1 - up) + low[:, None] * up)[..., None]
        sx, sy, radius = view.sun
        gx, gy = self.w - min(max(int(sx), 0), self.w), self.h - min(max(int(sy), 0), self.h)
        glow = self.glow[gy : gy + rows, gx : gx + self.w]
        shift = view.t * 0.03 * self.h + view.vx * 0.3
        at, part = int(shift) % (3 * self.w), shift % 1.0
        cloud = self.clouds[:rows, at : at + self.w] * (1 - part)
        cloud += self.clouds[:rows, at + 1 : at + 1 + self.w] * part
        for c in range(3):
            sky[c] += cloud * float(0.35 * (low[c] * 0.5 + 0.3 - high[c] * 0.5))
            sky[c] += glow * float(0.65 * sun[c] * (1.25 - low[c]))
        canvas.disc(sx, sy, radius, sun, rows)

    def _mountains(self, canvas: Canvas, view: _View) -> None:
        low, rock = view.colours[1], view.colours[5]
        bottom = int(view.horizon) + 1
        for depth, (heights, haze) in enumerate(zip(self.ridges, (0.55, 0.15), strict=True)):
            shift = (view.vx * 0.4 + view.t * 1.5) * (0.5 + 0.6 * depth) % (3 * self.w)
            at, part = int(shift), shift % 1.0
            edge = heights[at : at + self.w] * (1 - part) + heights[at + 1 : at + 1 + self.w] * part
            crest = view.horizon - edge * (1.0 - 0.45 * depth)
            top = max(0, int(crest.min()) - 1)
            inside = unit(self.y[top:bottom, None] - crest + 0.5)
            # Mist lies at the foot of the mountains.
            mist = haze + 0.45 * ((self.y[top:bottom] - top) / max(1, bottom - top)) ** 2
            colour = rock[:, None] * (1 - mist) + low[:, None] * mist
            region = canvas.planes[:, top:bottom]
            region += inside * (colour[..., None] - region)

    def _water(self, canvas: Canvas, view: _View) -> None:
        first = int(view.horizon)
        deep, sun = view.colours[4], view.colours[2]
        down = self.y[first:] - view.horizon
        near = unit(down / (self.h - view.horizon))
        ripple = np.sin(60 / (near + 0.12) - view.t * 5.0) * near * self.h * 0.022
        ripple += np.sin(23 / (near + 0.2) - view.t * 3.1) * near * self.h * 0.015
        rows = np.clip(first - 1 - down * 0.9 - ripple, 0, first - 1).astype(np.intp)
        mirror = canvas.planes[:, rows]
        keep = (0.78 - 0.45 * near)[:, None]
        mirror *= keep
        mirror += deep[:, None, None] * (1 - keep)
        # A road of light below the sun, broken by the waves.
        width = self.h * (0.05 + 0.16 * near)[:, None]
        road = np.exp(-(((self.x - view.sun[0]) / width) ** 2))
        drift = int(view.t * 14) % self.h
        waves = np.sin(90 / (near + 0.10) - view.t * 5.0)[:, None] * 0.5 + self.sparkle[drift : drift + len(down)]
        road *= unit(waves - 0.25)
        for c in range(3):
            mirror[c] += road * float(0.55 * sun[c])
        part = view.horizon - first
        mirror[:, 0] = canvas.planes[:, first] * part + mirror[:, 0] * (1 - part)
        canvas.planes[:, first:] = mirror

    def _path(self, canvas: Canvas, view: _View) -> None:
        """A boardwalk to the horizon; its planks pass below the eye."""
        first = int(view.horizon) + 2
        down = (self.y[first:] - view.horizon) / self.h
        depth = EYE * FOCAL / down
        half = PATH * FOCAL / depth * self.h
        along = (depth + view.z) / PLANK
        number = np.floor(along)
        tone = 0.62 + 0.30 * (np.sin(number * 12.9898) * 43758.5453 % 1.0)
        gap = np.abs(along - number - 0.5) > 0.44
        blur = unit(1.4 - depth / 9)
        tone = 0.75 + (np.where(gap, 0.25, tone) - 0.75) * blur
        fog = np.exp(-depth / 9)
        wood = (view.colours[3] * 0.35 + view.colours[1] * 0.45)[:, None] * tone
        colour = wood * fog + view.colours[1][:, None] * (1 - fog) * 0.8
        away = np.abs(self.x - view.vx)
        left = int(max(0, view.vx - half[-1] - 2))
        right = int(min(self.w, view.vx + half[-1] + 3))
        inside = unit(half[:, None] - away[left:right] + 0.5)
        rim = unit(inside * 3 - unit(half[:, None] * 0.90 - away[left:right]) * 3) * 0.35
        region = canvas.planes[:, first:, left:right]
        region += inside * ((colour[..., None] * (1 - rim)) - region)

    def _gates(self, canvas: Canvas, view: _View) -> None:
        """Far to near, the figure among them."""
        nearest = SPACING - view.z % SPACING
        swung = False
        for k in reversed(range(FARTHEST)):
            z = nearest + k * SPACING
            if z < 4.0 and not swung:
                self._figure(canvas, view)
                swung = True
            if z > 0.45:
                self._gate(canvas, view, z, round((view.z + z) / SPACING))

    def _gate(self, canvas: Canvas, view: _View, z: float, number: int) -> None:
        scale = FOCAL / z * self.h
        fog = exp(-z / 9.0)
        # Gates rise out of the mist and are gone before they would cut the eye.
        fade = min(1.0, (FARTHEST * SPACING - z) / SPACING) * min(1.0, (z - 0.45) / 0.5)
        tone = view.colours[3] * (1.0 if number % 3 else 1.22)
        colour = tone * fog + view.colours[1] * (1 - fog) * 0.85
        top, base = view.horizon - (HEIGHT - EYE) * scale, view.horizon + EYE * scale
        for side in (-1, 1):
            x = view.vx + side * SPAN * scale
            radius = PILLAR * scale
            light = min(max((view.sun[0] - x) / self.h * 2, -0.9), 0.9)
            canvas.pillar(x, radius, top, base, colour, light, fade)
        over = 1.22 * SPAN * scale
        thick = 0.24 * scale
        canvas.beam(view.vx, over, top - thick, top + thick * 0.3, colour, fade)
        lower = top + 0.55 * scale
        canvas.beam(view.vx, SPAN * scale, lower, lower + thick * 0.6, colour * 0.82, fade)

    def _figure(self, canvas: Canvas, view: _View) -> None:
        """Someone on a swing that hangs from above the picture."""
        h = self.h
        swing = 0.42 * sin(view.t * 1.9)
        limbs = _limbs(cos(view.t * 1.9)) * h
        pivot = np.array([view.vx, -0.25 * h])
        turn = np.array([[cos(swing), -sin(swing)], [sin(swing), cos(swing)]])
        a, b = limbs[:, 0:2] @ turn.T + pivot, limbs[:, 2:4] @ turn.T + pivot
        radius = limbs[:, 4]
        for rope in (0, 1):
            canvas.rope(a[rope].tolist(), b[rope].tolist(), float(radius[rope]), view.colours[0] * 0.25)
        canvas.capsules(a[2:], b[2:], radius[2:], view.colours[0] * 0.22, view.colours[2] * 0.55)

    def _lanterns(self, canvas: Canvas, view: _View) -> None:
        """Balls of light that float past, nearer than everything."""
        for k in range(3):
            phase = view.t * (0.13 + 0.02 * k) + k / 3
            round_, rise = divmod(phase, 1.0)
            x = view.vx + self.h * ((0.34, -0.36, 0.22)[k] + 0.10 * sin(view.t * 0.9 + k * 2 + round_))
            y = self.h * (1.1 - 1.25 * rise)
            radius = self.h * (0.052 - 0.018 * rise) * (1.0, 0.8, 0.65)[k]
            colour = (view.colours[2] * 0.75 + view.colours[3] * 0.35) * (0.95 + 0.08 * sin(view.t * 6 + k))
            canvas.disc(x, y, radius, colour, self.h, lit=0.45)


def _limbs(speed: float) -> np.ndarray:
    """Capsules (ax, ay, bx, by, radius) in picture heights, pivot at 0, hanging straight down: ropes, seat, person."""
    seat = 0.86
    kick = 0.055 * speed
    knee, foot = (0.055, seat + 0.005), (0.065 + kick, seat + 0.075)
    neck = (-0.01 - kick * 0.35, seat - 0.115)
    return np.array(
        [
            [-0.03, 0, -0.03, seat, 0.0035],
            [0.035, 0, 0.035, seat, 0.0035],
            [-0.05, seat + 0.012, 0.05, seat + 0.012, 0.007],
            [0, seat - 0.012, *neck, 0.024],
            [neck[0], neck[1] - 0.038, neck[0] + 0.003, neck[1] - 0.042, 0.026],
            [0.0, seat - 0.01, *knee, 0.017],
            [*knee, *foot, 0.012],
            [neck[0], neck[1] + 0.01, 0.033, seat - 0.085, 0.009],
            [neck[0], neck[1] + 0.01, -0.032, seat - 0.10, 0.009],
            [neck[0] - 0.012, neck[1] - 0.045, neck[0] - 0.045 - kick * 0.5, neck[1] - 0.015, 0.009],
        ],
        np.float64,
    )


def _scene(k: int) -> np.ndarray:
    return _SCENES[k % len(_SCENES)]


def _smooth(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
