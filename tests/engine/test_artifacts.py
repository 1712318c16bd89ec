"""Nothing flashes: every change of docs/artifacts.py over a moving input, through router, diffuser and what stands
around it."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from clavilux.engine import create_wrapper_from_config, load_config
from clavilux.engine.brush import around
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import Effects
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion import Diffuser
from clavilux.io.demo import DemoSource

DOCS = Path(__file__).parents[2] / "docs"
SIZE = 64


def _artifacts():
    sys.path.insert(0, str(DOCS))
    try:
        spec = importlib.util.spec_from_file_location("artifacts", DOCS / "artifacts.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["artifacts"] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(DOCS))


ARTIFACTS = _artifacts()


@pytest.fixture(scope="module")
def source() -> list[np.ndarray]:
    demo = DemoSource((SIZE, SIZE), 30)
    demo.open()
    frames = [demo.read().pixels for _ in range(40 + ARTIFACTS.BEFORE + ARTIFACTS.LENGTH)]
    return frames[40:]


def played(change, model, source) -> list[np.ndarray]:
    stream = {"cfg_type": "self", **(change.stream or {})}
    opening = {**ARTIFACTS.BASE, "cfg_type": stream["cfg_type"], **(change.opening or {})}
    clock = ManualClock()
    notices = Notices(clock)
    router = Router(notices, (), TABLE, opening)
    batch = stream.get("use_denoising_batch") == "always"
    diffuser = Diffuser(model, synchronous=True, notices=notices, batch=batch)
    painter = around(diffuser, diffuser.render, Effects())
    events = [((ARTIFACTS.BEFORE + frame - 0.5) / 30, name, value) for frame, name, value in change.events]
    outs = []
    for n, pixels in enumerate(source):
        while events and events[0][0] <= n / 30:
            t, name, value = events.pop(0)
            router.feed(Event(t, "osc", f"/clavilux/{name}", tuple(value) if isinstance(value, list) else (value,)))
        outs.append(painter.render(pixels, router.sample(n / 30)))
    return outs


def changes():
    """All of them; noise_scale from where the codec of the exact model, which keeps no detail, is seen in full."""
    others = [change for change in ARTIFACTS.changes() if not change.name.startswith("noise_scale")]
    return [*(make("noise_scale", 0.3, 1.0) for make in (ARTIFACTS.step, ARTIFACTS.sweep)), *others]


@pytest.mark.parametrize("change", changes(), ids=lambda change: change.name)
def test_no_change_flashes_or_goes_blank(change, exact, source):
    frames = played(change, exact, source)
    moved, limit, flattest = ARTIFACTS.worst(frames, source)
    assert moved <= limit
    assert flattest > ARTIFACTS.FLAT


@pytest.mark.parametrize(
    "change", [change for change in changes() if not change.stream], ids=lambda change: change.name
)
def test_nor_does_it_under_the_python_api(change, config, source):
    opening = {**ARTIFACTS.BASE, **(change.opening or {})}
    wrapper = create_wrapper_from_config(load_config(config), output_type="np")
    wrapper.stream.set(opening)
    [wrapper(picture) for picture in source[:30]]  # on its way to where it opens
    events, frames = list(change.events), []
    for n, pixels in enumerate(source):
        while events and ARTIFACTS.BEFORE + events[0][0] <= n + 0.5:
            _, name, value = events.pop(0)
            wrapper.update_stream_params(**{name: value})
        frames.append(np.rint(wrapper(pixels) * 255).astype(np.uint8))
    wrapper.close()
    moved, limit, flattest = ARTIFACTS.worst(frames, source)
    assert moved <= limit
    assert flattest > ARTIFACTS.FLAT


def test_a_cut_would_be_seen(source):
    cut = [*source[:30], *(255 - frame for frame in source[30:])]
    moved, limit, _ = ARTIFACTS.worst(cut, source)
    assert moved > limit
    black = [*source[:30], np.zeros_like(source[0]), *source[31:]]
    assert ARTIFACTS.worst(black, source)[2] < ARTIFACTS.FLAT


def test_a_cut_of_the_input_is_no_fault_of_a_batch_that_shows_it_later(source):
    cut = [*source[:30], *(255 - frame for frame in source[30:])]
    late = [cut[0]] * ARTIFACTS.BEHIND + cut[: -ARTIFACTS.BEHIND]
    moved, limit, _ = ARTIFACTS.worst(late, cut, delay=ARTIFACTS.BEHIND)
    assert moved <= limit
    moved, limit, _ = ARTIFACTS.worst(late, cut)
    assert moved > limit


def test_contrast_may_enlarge_what_the_input_does_but_not_jump(source):
    [change] = [change for change in changes() if change.name == "contrast step"]
    assert change.grades == [{"contrast": 0.5}, {"contrast": 2.0}]
    cut = [*source[:30], *(255 - frame for frame in source[30:])]
    low, high = ([np.clip((f - 127.5) * c + 127.5, 0, 255).astype(np.uint8) for f in cut] for c in (0.5, 2.0))
    moved, limit, _ = ARTIFACTS.worst(high, low, high)
    assert moved <= limit
    moved, limit, _ = ARTIFACTS.worst([*low[:15], *high[15:]], low, high)
    assert moved > limit
