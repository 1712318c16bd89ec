"""The diffuser: an input picture and a snapshot go in, a painted picture comes out."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..core.blend import mix
from ..core.clock import Clock, SystemClock
from ..core.effects import Effects
from ..core.notices import Notices
from ..core.quality import FULL, Effort
from ..core.snapshot import Snapshot
from . import threads
from .accelerators import NotAPicture
from .controls import Placed, Preprocess, Watched
from .encodings import EncodingFailed, Encodings
from .frame_buffer import FrameBuffer
from .guidance import CFG_TYPES, Kind, rows
from .idle import Idle
from .loras import Loras
from .model import Model
from .noise import Noise
from .pixels import fitted
from .prompts import LONGEST, Moment, PromptTrack
from .sampler import InSequence, Sampler, StreamBatch, Work
from .similar import SimilarFrames, Standstill
from .steering import AdapterFiles, Steering, value
from .steps import StepList
from .stroke import Stroke, by_surface, faded, faded_latents, thinned
from .surface import Surface
from .text import Encoding
from .worker import Worker

T = TypeVar("T")
Pictures = Sequence[np.ndarray | None]
# How fast an input comes and goes when input_mode changes, in whole ways a second.
PRESENCE_SPEED = 1.4
# How long a change of resolution takes to be seen in full, in seconds.
SETTLING = 0.3


class RenderFailed(RuntimeError):
    """One frame that could not be made; the next call starts from the last good state."""


class Diffuser:
    """Paints frames with a model. One thread calls `render`; prompts are encoded on a worker beside it.

    `size`: (width, height) of the frames that come out. `t_index_list`: the show's steps, used while the snapshot names
    none (left out: the model's). `cfg_type`: none, full, self, initialize, while the snapshot names none. `batch`: True
    takes all steps in one model call, N - 1 frames behind the input; False one after another, without delay; "auto" is
    False on a CPU, where a batch gains little. `synchronous`: encode at once, for offline rendering: the same snapshots
    and inputs then give the same frames, bit for bit, on one machine. `similar` leaves out frames whose input hardly
    changes; `effects` are the performer's own, whose latent stages play here; `loras` are those on the model. `builder`
    builds what joins the model while the show goes on; `opened` gives a reference image by its name, `placed` a
    ControlNet's folder, `adapter_files` what an IP-Adapter consists of; `preprocess` makes control images, of `watched`
    sources too. `glide`: how fast steps move when their list changes, in radians a second (pi: half a second all the
    way; 0: at once).
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
        similar: SimilarFrames | None = None,
        effects: Effects | None = None,
        loras: Loras | None = None,
        builder: Worker | None = None,
        opened: Callable[[str], np.ndarray] | None = None,
        preprocess: Preprocess | None = None,
        placed: Placed | None = None,
        adapter_files: AdapterFiles | None = None,
        watched: Watched | None = None,
        glide: float = float(np.pi),
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
        self._surfaces = {1.0: Surface(model, self.size)}
        self._noise = Noise(self._surfaces[1.0].shape, model.device, model.dtype)
        self._steps = StepList(model.schedule, glide, pace=2 if self.batch else 0)
        self._kind = Kind()
        sampler = StreamBatch if self.batch else InSequence
        self._sampler: Sampler = sampler(model.schedule, model.unet, model.reads_pooled)
        self._buffer: FrameBuffer[Stroke, np.ndarray] = FrameBuffer()
        self._standstill = Standstill(similar, self.size)
        self._idle = Idle(self.notices, model.defaults.guidance_scale)
        self._effects = effects or Effects()
        self.loras = loras
        self.builder = builder or Worker(synchronous, "clavilux-builder")
        self.steering = Steering(model, self.builder, self.notices, opened, preprocess, placed, adapter_files, watched)
        self._live: Mapping[str, Any] = {}
        self._inputs: list[np.ndarray] = []  # the newest first, as many as are under way
        self.lag = 0  # how many frames the output of `render_group` lies behind the input
        self._presence: float | None = None
        self._last: tuple[float, float] | None = None
        self._shown: np.ndarray | None = None
        self._shown_latents: Tensor | None = None
        self._scale = 1.0
        self._settling = 1.0

    @property
    def delay(self) -> int:
        """How many frames the output of `render` lies behind the input."""
        return self.lag + self._buffer.size - 1

    @property
    def waiting(self) -> bool:
        """Whether a prompt that was asked for is still being encoded."""
        return self._prompt.waiting or self._negative.waiting

    @torch.inference_mode()
    def warm(self, scales: Sequence[float] = (1.0,)) -> None:
        """Run every network once as a frame would, so that the first frame takes no longer than the others."""
        [encoding] = self.model.text([""])
        steps = len(self._t_index_list) if self.batch else 1
        for scale in scales:
            surface = self._surface(scale)
            latents = surface.encode(np.zeros((self.size[1], self.size[0], 3), np.uint8)).clone()
            for count in sorted({steps, rows(self.cfg_type, 2.0, steps)}):
                pooled = None
                if self.model.reads_pooled and encoding.pooled is not None:
                    pooled = encoding.pooled.repeat(count, 1)
                x_t, t = latents.repeat(count, 1, 1, 1), torch.full((count,), 500.0, device=self.model.device)
                self.model.unet(x_t, t, encoding.states.repeat(count, 1, 1), pooled)
            surface.decode(latents)

    def asked(self, snapshot: Snapshot) -> tuple[float, ...]:
        """The timesteps that the snapshot asks for, whatever the picture is made with on its way there."""
        return self.model.schedule.timesteps(
            value(snapshot, "num_inference_steps"),
            value(snapshot, "t_index_list") or self._t_index_list,
            value(snapshot, "denoising_step_list"),
        )

    def prepare(self, texts: Sequence[str]) -> None:
        """Encode these prompts ahead of time, on the worker."""
        self._encodings.ask(texts)

    @property
    def control_image(self) -> Callable[[np.ndarray | None, int | None], None]:
        """Hands over the control image of the ControlNet of an index, or of all (None); for any thread."""
        return self.steering.controls.give

    @property
    def style_image(self) -> Callable[[np.ndarray | None, int], None]:
        """The same for the picture of the IP-Adapter of an index."""
        return self.steering.styles.give

    def reset(self) -> None:
        """Forget the frames that are under way; prompts, noise and steps stay where they are."""
        self._sampler.reset()
        self.steering.clear()
        self._buffer.clear()
        self._inputs.clear()

    def close(self) -> None:
        self.worker.close()
        if self.loras is not None:
            self.loras.close()
        self.builder.close()

    @torch.inference_mode()
    def render(self, pixels: np.ndarray | None, snapshot: Snapshot, effort: Effort = FULL) -> np.ndarray:
        """One frame: uint8 (H, W, 3) RGB in, any size (fitted), and out, of `size`; None paints from noise alone.

        At noise_scale 0 the input's own pixels come out. With a frame_buffer_size of K frames are painted K at a
        time and come out K - 1 later. Raises RenderFailed, and stays usable.
        """
        return self._told(lambda: self._render(pixels, snapshot, effort))

    @torch.inference_mode()
    def render_group(self, group: Pictures, snapshots: Sequence[Snapshot], effort: Effort = FULL) -> list[np.ndarray]:
        """As many frames as there are snapshots, painted together, without waiting for more. Raises RenderFailed."""

        def made() -> list[np.ndarray]:
            if self._shown is not None and self._stands(group, snapshots):
                return [self._shown]
            strokes = self._strokes(group, snapshots, effort)
            pictures = []
            for picture, stroke in zip(self._finished(strokes), strokes, strict=True):
                self._shown = self._settled(picture, stroke)
                pictures.append(self._shown)
            return pictures

        return self._told(made)

    @torch.inference_mode()
    def latents(self, group: Pictures, snapshots: Sequence[Snapshot], effort: Effort = FULL) -> Tensor:
        """The same frames as the model has them, (K, C, h, w), not decoded. Raises RenderFailed."""

        def made() -> Tensor:
            if self._shown_latents is not None and self._stands(group, snapshots):
                return self._shown_latents
            strokes = self._strokes(group, snapshots, effort)
            painted = self._painted(strokes)
            self._commit()
            latents = torch.cat([faded_latents(s, x) for s, x in zip(strokes, painted, strict=True)])
            self._shown_latents = latents[-1:]
            return latents

        return self._told(made)

    def _told(self, make: Callable[[], T]) -> T:
        """What `make` gives; what it raises becomes RenderFailed, in words, and its frames were never there."""
        threads.use(self.model.networks.threads)
        try:
            return make()
        except (EncodingFailed, NotAPicture, MemoryError, RuntimeError, ValueError) as fault:
            self.steering.forget()
            if isinstance(fault, RenderFailed):
                raise
            if isinstance(fault, (MemoryError, torch.OutOfMemoryError)):
                raise RenderFailed(f"not enough memory for a {self.size[0]}x{self.size[1]} frame") from fault
            plain = isinstance(fault, (EncodingFailed, NotAPicture))
            raise RenderFailed(str(fault) if plain else f"this frame could not be made: {fault}") from fault

    def _render(self, pixels: np.ndarray | None, snapshot: Snapshot, effort: Effort) -> np.ndarray:
        if self._shown is not None and self._stands((pixels,), (snapshot,)):
            return self._shown
        wanted = int(value(snapshot, "frame_buffer_size"))
        stroke = self._stroke(pixels, snapshot, effort, self._buffer.size)
        # In a stream batch a new lane repeats the one beside it until its own frames have come through.
        pace = len(stroke.work.timesteps) if self.batch and stroke.work is not None else 1
        self._shown = self._settled(self._buffer.next(stroke, wanted, self._finished, pace), stroke)
        return self._shown

    def _stands(self, group: Pictures, snapshots: Sequence[Snapshot]) -> bool:
        """Whether one picture is asked for, and the one there is may stand for it."""
        if len(group) != 1:
            return False
        [snapshot] = snapshots
        moving = self._prompt.moving or self._negative.moving or self.waiting or value(snapshot, "seed") < 0
        moving = moving or self._noise.moving or self.steering.moving
        moving = moving or (self.loras is not None and self.loras.moving(snapshot.t))
        return self._standstill.at(group[0], snapshot, moving, self.steering.handed)

    def _strokes(self, group: Pictures, snapshots: Sequence[Snapshot], effort: Effort) -> list[Stroke]:
        return [self._stroke(p, s, effort, len(group)) for p, s in zip(group, snapshots, strict=True)]

    def _stroke(self, pixels: np.ndarray | None, snapshot: Snapshot, effort: Effort, together: int) -> Stroke:
        """Everything of this frame but its painting; `together` frames are painted at once."""
        now, self._live = self._moment(snapshot), snapshot.values
        if self.loras is not None:
            self.loras.advance(snapshot.t, value(snapshot, "lora_scales"))
        source = None if pixels is None else fitted(pixels, *self.size)
        cond, uncond = self._encode(now, snapshot)
        presence = self._present(source is not None and value(snapshot, "input_mode") == "video", now)
        strength = 1.0 - presence * (1.0 - float(value(snapshot, "noise_scale")))
        steps = self._steps.at(thinned(self.asked(snapshot), effort.steps), now.dt)
        noise = self._noise.at(
            value(snapshot, "seed_list") or ((value(snapshot, "seed"), 1.0),), len(steps), snapshot.n, now.dt,
            value(snapshot, "seed_interpolation_method"), value(snapshot, "normalize_seed_weights"),
            float(value(snapshot, "seed_morph")), float(value(snapshot, "noise_drift")),
            self.model.defaults.likeness(strength, self.steering.controlled),
        )  # fmt: skip
        cfg_type, guidance = self._guided(snapshot, now)
        self.lag = (len(steps) - 1) * together if self.batch else 0
        self._remember(source, together)
        shown = self._delayed(self.lag, together, steps.arrived)
        surface = self._turn_to(effort.scale, now)
        if strength <= 0.0 and shown is not None and together == 1:
            return Stroke(None, shown, strength, surface)
        steer = self.steering.at(snapshot, surface, now.dt, source, self._shown)
        x_0, under_way = self._latents(presence, together, surface)
        timesteps, delta = tuple(t * strength for t in steps.timesteps), float(value(snapshot, "delta"))
        work = Work(
            x_0, presence, timesteps, steps.joined, surface.noise(noise), cond, uncond, cfg_type, guidance, delta,
            under_way, steer, steps.arrived, float(value(snapshot, "guidance_rescale")),
        )  # fmt: skip
        return Stroke(work, shown, strength, surface)

    def _moment(self, snapshot: Snapshot) -> Moment:
        """Time since the frame before; a long gap counts as a short one, so that nothing jumps after a pause."""
        before, self._last = self._last, (snapshot.t, snapshot.beat)
        if before is None:
            return Moment(snapshot.t, snapshot.beat, 0.0, 0.0)
        gap, beats = max(snapshot.t - before[0], 0.0), max(snapshot.beat - before[1], 0.0)
        part = 1.0 if gap <= LONGEST else LONGEST / gap
        return Moment(snapshot.t, snapshot.beat, gap * part, beats * part)

    def _encode(self, now: Moment, snapshot: Snapshot) -> tuple[Encoding, Encoding]:
        method, morph = value(snapshot, "prompt_interpolation_method"), float(value(snapshot, "prompt_morph"))
        transitions = [t.payload["transition"] for t in snapshot.triggers if t.name == "transition"]
        cond = self._prompt.advance(
            now, value(snapshot, "prompts"), method, value(snapshot, "normalize_prompt_weights"), morph, transitions
        )
        negative = ((value(snapshot, "negative_prompt"), 1.0),)
        return cond, self._negative.advance(now, negative, method, True, morph)

    def _present(self, wanted: bool, now: Moment) -> float:
        """How much of the input is in the picture, 0..1: it comes and goes, and the slower the less there is of it: its
        last traces, however faint under the noise, are where a picture out of noise takes its layout from."""
        goal = 1.0 if wanted else 0.0
        if self._presence is None:
            self._presence = goal
        reach = PRESENCE_SPEED * now.dt
        self._presence = min(max(goal, self._presence - reach), self._presence + reach)
        return self._presence**4

    def _guided(self, snapshot: Snapshot, now: Moment) -> tuple[str, float]:
        wanted = snapshot.values.get("cfg_type", self.cfg_type)
        guidance = float(value(snapshot, "guidance_scale"))
        self._idle.hear(wanted, guidance, value(snapshot, "negative_prompt"))
        return self._kind.at(wanted, guidance, now.dt)

    def _commit(self) -> None:
        self._sampler.commit()
        self.steering.commit()

    def _remember(self, source: np.ndarray | None, together: int) -> None:
        if source is not None:
            # A frame that is kept longer than this call must not change under our hands.
            self._inputs.insert(0, source.copy() if self.batch or together > 1 else source)
        del self._inputs[self.lag + 1 :]

    def _delayed(self, lag: int, together: int, arrived: float) -> np.ndarray | None:
        """The input that the picture is of; between two of them where a delay is on its way."""
        if not self._inputs:
            return None
        oldest = len(self._inputs) - 1
        older = self._inputs[min(lag, oldest)]
        return older if arrived >= 1.0 else mix(self._inputs[min(max(lag - together, 0), oldest)], older, arrived)

    def _surface(self, scale: float) -> Surface:
        if scale not in self._surfaces:
            self._surfaces[scale] = Surface(self.model, self.size, scale)
        return self._surfaces[scale]

    def _turn_to(self, scale: float, now: Moment) -> Surface:
        if scale != self._scale:
            self._scale, self._settling = scale, 0.0
        self._settling = min(self._settling + now.dt / SETTLING, 1.0)
        return self._surface(scale)

    def _settled(self, picture: np.ndarray, stroke: Stroke) -> np.ndarray:
        """A picture of another resolution comes in over the ones before it."""
        if self._settling >= 1.0 or stroke.still or self._shown is None:
            return picture
        return mix(self._shown, picture, max(self._settling, 0.1))

    def _latents(self, presence: float, together: int, surface: Surface) -> tuple[Tensor, Tensor | None]:
        """The input's latents, and those of the inputs before it where a stream batch has nothing under way."""
        if not self._inputs or presence <= 0.0:
            return surface.blank, None
        under_way = None
        before = self._inputs[together::together]
        if self._sampler.empty and before:  # back from noise_scale 0
            under_way = torch.cat([surface.encode(p).clone() for p in before])
        latents = self.steering.steadied(surface.encode(self._inputs[0]))
        latents = self._effects.apply("latent_before", latents, self._live)
        if presence < 1.0:
            latents = latents * presence
        elif together > 1:
            latents = latents.clone()
        return latents, under_way

    def _painted(self, strokes: Sequence[Stroke]) -> list[Tensor | None]:
        """The latents of each; None where the input itself is the picture."""
        works = [s.work for s in strokes if s.work is not None]
        if all(s.still for s in strokes) or not works:
            self._sampler.reset()
            return [None] * len(strokes)
        painted: list[Tensor | None] = list(self._sampler.paint(works))
        for latents in painted:
            if latents is not None and not math.isfinite(float(latents.sum())):
                raise RenderFailed("the model gave numbers that are no picture (not finite); the frame is left out")
        if self._effects.has("latent_after"):
            return [x if x is None else self._effects.apply("latent_after", x, self._live) for x in painted]
        return painted

    def _finished(self, strokes: Sequence[Stroke]) -> list[np.ndarray]:
        painted = self._painted(strokes)
        pictures = []
        for surface, part in by_surface(strokes, painted):
            pictures += surface.decode(part)
        self._commit()
        found = iter(self.steering.held(pictures))
        return [faded(s, None if x is None else next(found)) for s, x in zip(strokes, painted, strict=True)]
