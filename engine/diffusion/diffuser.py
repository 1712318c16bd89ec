"""The diffuser: an input picture and a snapshot go in, a painted picture comes out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.clock import Clock, SystemClock
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from ..core.table import TABLE
from .encodings import EncodingFailed, Encodings
from .guidance import CFG_TYPES, rows
from .model import Model
from .noise import Noise
from .pixels import Canvas, faded, fitted
from .prompts import LONGEST, Moment, PromptTrack
from .sampler import InSequence, Sampler, StreamBatch, Work
from .steps import StepList
from .text import Encoding
from .worker import Worker

# Below this noise_scale the input's own pixels come in, so that the autoencoder's loss fades away with the noise.
FADE_BELOW = 0.25
# How fast an input comes and goes when input_mode changes, in whole ways a second.
PRESENCE_SPEED = 2.0


class RenderFailed(RuntimeError):
    """One frame that could not be made; the next call starts from the last good state."""


class Diffuser:
    """Paints frames with a model. One thread calls `render`; prompts are encoded on a worker beside it.

    `size`: (width, height) of the frames that come out. `t_index_list`: the show's steps, used while the
    snapshot names none (left out: the model's). `cfg_type`: none, full, self, initialize. `batch`: True takes all
    steps in one model call, N - 1 frames behind the input; False one after another, without delay; "auto" is
    False on a CPU, where a batch gains little. `synchronous`: encode at once, for offline rendering: the same
    snapshots and inputs then give the same frames, bit for bit, on one machine. `glide` and `seed_speed`: how fast
    steps and noise move when the list or the seed changes, in radians a second (pi: half a second all the way; 0:
    at once).
    """

    def __init__(
        self,
        model: Model,
        *,
        size: tuple[int, int] | None = None,
        t_index_list: Sequence[int] | None = None,
        cfg_type: str = "self",
        batch: bool | str = "auto",
        synchronous: bool = False,
        clock: Clock | None = None,
        notices: Notices | None = None,
        worker: Worker | None = None,
        glide: float = float(np.pi),
        seed_speed: float = float(np.pi),
    ) -> None:
        if cfg_type not in CFG_TYPES:
            raise ValueError(f"cfg_type is one of {', '.join(CFG_TYPES)}, not {cfg_type!r}")
        self.model = model
        self.size = size or model.size
        self.cfg_type = cfg_type
        self.batch = batch if isinstance(batch, bool) else model.device.type != "cpu"
        self.notices = notices or Notices(clock or SystemClock())
        self.worker = worker or Worker(synchronous)
        self._t_index_list = tuple(t_index_list) if t_index_list else model.defaults.t_index_list
        self._encodings = Encodings(model.text, self.worker, self.notices)
        self._prompt = PromptTrack(self._encodings, self.notices)
        self._negative = PromptTrack(self._encodings, self.notices)
        width, height = self.size
        self._canvas = Canvas(width, height, model.multiple, model.device)
        high, wide = (side // model.downscale for side in self._canvas.padded)
        shape = (model.latent_channels, high, wide)
        self._noise = Noise(shape, seed_speed, model.device, model.dtype)
        self._steps = StepList(model.schedule, glide, pace=2 if self.batch else 0)
        kind = StreamBatch if self.batch else InSequence
        self._sampler: Sampler = kind(model.schedule, model.unet, model.reads_pooled)
        self._blank = torch.zeros((1, *shape), device=model.device, dtype=model.dtype)
        self._inputs: list[np.ndarray] = []  # the newest first, as many as are under way
        self._lag = 0
        self._presence: float | None = None
        self._last: tuple[float, float] | None = None
        self._warned: float | None = None

    @property
    def delay(self) -> int:
        """How many frames the output lies behind the input."""
        return self._lag

    @property
    def waiting(self) -> bool:
        """Whether a prompt that was asked for is still being encoded."""
        return self._prompt.waiting or self._negative.waiting

    @torch.inference_mode()
    def warm(self) -> None:
        """Run every network once as a frame would, so that the first frame takes no longer than the others."""
        codec, [encoding] = self.model.codec, self.model.text([""])
        latents = codec.encode(self._canvas.load(np.zeros((self.size[1], self.size[0], 3), np.uint8))).clone()
        steps = len(self._t_index_list) if self.batch else 1
        for count in sorted({steps, rows(self.cfg_type, 2.0, steps)}):
            pooled = None
            if self.model.reads_pooled and encoding.pooled is not None:
                pooled = encoding.pooled.repeat(count, 1)
            x_t, t = latents.repeat(count, 1, 1, 1), torch.full((count,), 500.0, device=self.model.device)
            self.model.unet(x_t, t, encoding.states.repeat(count, 1, 1), pooled)
        codec.decode(latents)

    def prepare(self, texts: Sequence[str]) -> None:
        """Encode these prompts ahead of time, on the worker."""
        self._encodings.ask(texts)

    def reset(self) -> None:
        """Forget the frames that are under way; prompts, noise and steps stay where they are."""
        self._sampler.reset()
        self._inputs.clear()

    def close(self) -> None:
        self.worker.close()

    @torch.inference_mode()
    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """One frame: uint8 (H, W, 3) RGB in, any size (fitted), and out, of `size`; None paints from noise alone.

        At noise_scale 0 the input's own pixels come out. Raises RenderFailed, and stays usable.
        """
        try:
            return self._render(pixels, snapshot)
        except RenderFailed:
            raise
        except EncodingFailed as fault:
            raise RenderFailed(str(fault)) from fault
        except (MemoryError, torch.OutOfMemoryError) as fault:
            raise RenderFailed(f"not enough memory for a {self.size[0]}x{self.size[1]} frame") from fault
        except (RuntimeError, ValueError) as fault:
            raise RenderFailed(f"this frame could not be made: {fault}") from fault

    def _render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        now = self._moment(snapshot)
        source = None if pixels is None else fitted(pixels, *self.size)
        cond, uncond = self._encode(now, snapshot)
        presence = self._present(source is not None and _value(snapshot, "input_mode") == "video", now)
        strength = 1.0 - presence * (1.0 - float(_value(snapshot, "noise_scale")))
        goal = self.model.schedule.timesteps(
            _value(snapshot, "num_inference_steps"),
            _value(snapshot, "t_index_list") or self._t_index_list,
            _value(snapshot, "denoising_step_list"),
        )
        steps = self._steps.at(goal, now.dt)
        seeds = _value(snapshot, "seed_list") or ((_value(snapshot, "seed"), 1.0),)
        noise = self._noise.at(seeds, len(steps), snapshot.n, now.dt, _value(snapshot, "seed_interpolation_method"))
        self._lag = len(steps) - 1 if self.batch else 0
        self._remember(source)
        shown = self._inputs[min(self._lag, len(self._inputs) - 1)] if self._inputs else None
        if strength <= 0.0 and shown is not None:
            self._sampler.reset()
            return shown.copy()
        work = Work(
            self._latents(presence),
            presence,
            tuple(t * strength for t in steps.timesteps),
            steps.joined,
            noise,
            cond,
            uncond,
            self.cfg_type,
            self._guidance(snapshot),
            float(_value(snapshot, "delta")),
        )
        painted = self._paint(work)
        if strength >= FADE_BELOW or shown is None:
            return painted
        x = strength / FADE_BELOW
        return faded(shown, painted, x * x * (3.0 - 2.0 * x))

    def _moment(self, snapshot: Snapshot) -> Moment:
        """Time since the frame before; a long gap counts as a short one, so that nothing jumps after a pause."""
        before, self._last = self._last, (snapshot.t, snapshot.beat)
        if before is None:
            return Moment(snapshot.t, snapshot.beat, 0.0, 0.0)
        gap, beats = max(snapshot.t - before[0], 0.0), max(snapshot.beat - before[1], 0.0)
        part = 1.0 if gap <= LONGEST else LONGEST / gap
        return Moment(snapshot.t, snapshot.beat, gap * part, beats * part)

    def _encode(self, now: Moment, snapshot: Snapshot) -> tuple[Encoding, Encoding]:
        method, morph = _value(snapshot, "prompt_interpolation_method"), float(_value(snapshot, "prompt_morph"))
        transitions = [t.payload["transition"] for t in snapshot.triggers if t.name == "transition"]
        cond = self._prompt.advance(
            now, _value(snapshot, "prompts"), method, _value(snapshot, "normalize_prompt_weights"), morph, transitions
        )
        negative = ((_value(snapshot, "negative_prompt"), 1.0),)
        return cond, self._negative.advance(now, negative, method, True, morph)

    def _present(self, wanted: bool, now: Moment) -> float:
        """How much of the input is in the picture, 0..1: it comes and goes rather than being cut."""
        goal = 1.0 if wanted else 0.0
        if self._presence is None:
            self._presence = goal
        reach = PRESENCE_SPEED * now.dt
        self._presence = min(max(goal, self._presence - reach), self._presence + reach)
        return self._presence

    def _remember(self, source: np.ndarray | None) -> None:
        if source is not None:
            # A frame that is kept longer than this call must not change under our hands.
            self._inputs.insert(0, source.copy() if self.batch else source)
        del self._inputs[self._lag + 1 :]

    def _latents(self, presence: float) -> Tensor:
        if not self._inputs or presence <= 0.0:
            return self._blank
        codec = self.model.codec
        if self._sampler.empty and len(self._inputs) > 1:
            # Back from noise_scale 0: what would be under way are the last inputs.
            under_way = [codec.encode(self._canvas.load(p)).clone() for p in self._inputs]
            self._sampler.start(torch.cat(under_way[1:]))
            return under_way[0] * presence
        latents = codec.encode(self._canvas.load(self._inputs[0]))
        return latents if presence >= 1.0 else latents * presence

    def _guidance(self, snapshot: Snapshot) -> float:
        guidance = float(_value(snapshot, "guidance_scale"))
        if self.cfg_type == "none" and guidance > 1.0 and self._warned not in (None, guidance):
            self.notices.say("guidance", "guidance_scale above 1 has no effect: cfg_type is none")
        self._warned = guidance
        return guidance

    def _paint(self, work: Work) -> np.ndarray:
        latents = self._sampler.paint(work)
        if not bool(torch.isfinite(latents.sum())):
            raise RenderFailed("the model gave numbers that are no picture (not finite); the frame is left out")
        pixels = self._canvas.store(self.model.codec.decode(latents))
        self._sampler.commit()
        return pixels


def _value(snapshot: Snapshot, name: str) -> Any:
    """A value of the snapshot, or the table's default where the snapshot lacks it."""
    return snapshot.values[name] if name in snapshot.values else TABLE[name].default
