"""CUDA graphs around eager calls: small networks spend a card's time on launching kernels one by one; recorded, a call
is one launch."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor

from ..core.notices import Notices
from .accelerators import Networks, NotAPicture, Recipe, eager
from .controlnet import ControlCall
from .extended import ExtendedUnet, Extra, flat
from .lora import Adapters
from .parts import levels

# So many shapes of a network are kept; each holds memory of its own.
MOST_GRAPHS = 8
# A shape is run plainly so many times before it is recorded: what only passes by is not worth the time.
PASSING = 2
# And so many times after the network was changed: a knob that turns must not be recorded at every step of its way.
REST = 10
Results = tuple[Tensor, ...]
Run = Callable[..., Results]
Capture = Callable[[Run, Sequence[Tensor]], tuple[Callable[[], None], Results]]


class Recorded:
    """A function of tensors whose calls are recorded, one for each shape: what is given is copied into the places that
    the recording reads. Results are valid until the next call.

    A shape that cannot be recorded is run as it is.
    """

    def __init__(self, run: Run, notices: Notices | None = None, capture: Capture | None = None) -> None:
        self._run, self._notices = run, notices
        self._capture = capture or on_card
        self._plain_calls = PASSING
        self._seen: Counter[tuple] = Counter()
        self._graphs: OrderedDict[tuple, tuple[list[Tensor], Callable[[], None], Results] | None] = OrderedDict()

    def __call__(self, *given: Tensor) -> Results:
        key = tuple((tuple(x.shape), x.dtype) for x in given)
        if key not in self._graphs:
            self._seen[key] += 1
            if self._seen[key] <= self._plain_calls:
                return self._run(*given)
            del self._seen[key]
            self._graphs[key] = self._recorded(given)
            while len(self._graphs) > MOST_GRAPHS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        found = self._graphs[key]
        if found is None:
            return self._run(*given)
        places, replay, out = found
        for place, tensor in zip(places, given, strict=True):
            place.copy_(tensor)
        replay()
        return out

    def forget(self) -> None:
        """What was recorded no longer holds; it is recorded anew once it has rested for a few calls."""
        self._graphs.clear()
        self._seen.clear()
        self._plain_calls = REST

    def _recorded(self, given: Sequence[Tensor]) -> tuple[list[Tensor], Callable[[], None], Results] | None:
        places = [x.clone() for x in given]
        try:
            replay, out = self._capture(self._run, places)
        except RuntimeError as e:
            if self._notices is not None:
                self._notices.say("graphs", f"CUDA graphs cannot be used ({str(e).splitlines()[0]}); plain calls go on")
            return None
        return places, replay, out


def on_card(run: Run, places: Sequence[Tensor]) -> tuple[Callable[[], None], Results]:
    """Record a call on the card, after a run beside the main stream as CUDA asks for. Raises RuntimeError."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run(*places)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    # Others may use the card meanwhile: the worker that reads prompts, for one.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        out = run(*places)
    return graph.replay, out


def graphed(recipe: Recipe, notices: Notices | None = None) -> Networks:
    """Plain torch on an NVIDIA card, every network's launches recorded once for each shape and replayed as one."""
    plain = eager(recipe, recorded=True)
    recorded: WeakSet[Recorded] = WeakSet()

    def record(run: Run) -> Recorded:
        made = Recorded(run, notices)
        recorded.add(made)
        return made

    def forget() -> None:
        for one in recorded:
            one.forget()

    def extended(kinds: frozenset[str]) -> ExtendedUnet:
        assert plain.extended is not None
        return GraphedExtended(plain.extended(kinds), record)

    def control(folder: Path) -> ControlCall:
        assert plain.control is not None
        return GraphedControl(plain.control(folder), record)

    return replace(
        plain,
        unet=GraphedUnet(plain.unet, record),
        codec=GraphedCodec(plain.codec, record),
        extended=extended,
        control=control,
        adapters=None if plain.adapters is None else Told(plain.adapters, forget),
    )


Record = Callable[[Run], Recorded]


class GraphedUnet:
    """The plain UNet, recorded."""

    def __init__(self, unet: Any, record: Record) -> None:
        self._calls = record(lambda x_t, t, states, *pooled: (unet(x_t, t, states, pooled[0] if pooled else None),))

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        return self._calls(x_t, t, states, *([] if pooled is None else [pooled]))[0]


class GraphedExtended:
    """A UNet with more inputs, recorded. `inner` takes what it takes as one row of tensors."""

    def __init__(self, inner: Any, record: Record) -> None:
        self.widths = inner.widths
        self._calls = record(inner.row)

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        prediction, *made = self._calls(x_t, t, states, *flat(pooled, extra))
        return prediction, tuple(made)


class GraphedControl:
    """A ControlNet, recorded."""

    def __init__(self, control: Any, record: Record) -> None:
        def run(x_t: Tensor, t: Tensor, states: Tensor, image: Tensor, scale: Tensor, *pooled: Tensor) -> Results:
            return control(x_t, t, states, pooled[0] if pooled else None, image, scale)

        self._calls = record(run)

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]:
        return self._calls(x_t, t, states, image, scale, *([] if pooled is None else [pooled]))


class GraphedCodec:
    """An autoencoder, recorded; whether the picture is one is read from what the recording sums up."""

    def __init__(self, codec: Any, record: Record) -> None:
        def decode(latents: Tensor) -> Results:
            image = codec.image(latents)
            return levels(image), image.sum(dtype=torch.float32)

        self._encode = record(lambda frames: (codec.encode(frames),))
        self._decode = record(decode)

    def encode(self, frames: Tensor) -> Tensor:
        return self._encode(frames)[0]

    def decode(self, latents: Tensor) -> Tensor:
        frames, total = self._decode(latents)
        if not bool(torch.isfinite(total)):
            raise NotAPicture
        return frames


class Told:
    """LoRAs on networks whose calls are recorded: a recording holds their layers as they were. It reads their scales
    anew, but one at 0 has no layers."""

    def __init__(self, inner: Adapters, changed: Callable[[], None]) -> None:
        self._inner, self._changed = inner, changed
        self._heard: tuple[bool, ...] | None = None

    def prepare(self, grafts: Sequence[Any]) -> Callable[[], None]:
        commit = self._inner.prepare(grafts)

        def told() -> None:
            commit()
            self._heard = None
            self._changed()

        return told

    def scale(self, scales: Sequence[float]) -> None:
        self._inner.scale(scales)
        heard = tuple(scale != 0.0 for scale in scales)
        if heard != self._heard:
            self._heard = heard
            self._changed()
