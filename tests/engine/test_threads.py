"""Eight threads turn everything at once while a stream runs: nothing is torn, lost, raised or leaked."""

import gc
import logging
import random
import statistics
import threading
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.steplist import clamped, rescaled

THREADS = 8
# Above this guidance the arithmetic that stands for a model may paint one level alone.
BLINDING = 4.0
TEXTS = ("fire", "ocean waves", "an aurora", "forest", "snow", "lava")
INVALID = (
    {"guidance_scale": "loud"}, {"guidance_scale": float("nan")}, {"t_index_list": []}, {"seed": "x"},
    {"prompt_list": [("a", float("inf"))]}, {"seed_list": [("a", 1)]}, {"delta": object()}, {"prompt_list": [3]},
    {"num_inference_steps": [1, 2]}, {"cfg_type": "half"}, {"frame_buffer_size": "many"}, {"seed_list": {}},
    {"negative_prompt": object()}, {"t_index_list": [float("inf")]}, {"prompt_interpolation_method": "cubic"},
)  # fmt: skip


def random_update(rng: random.Random) -> dict:
    """Values that belong together, some of them wrong."""
    k = rng.randrange(10_000)
    choices = [
        {"seed": k, "negative_prompt": TEXTS[k % 6], "delta": k % 3 / 2},
        {"seed_list": [(k, 0.5), (k + 1, 0.5)], "seed_interpolation_method": rng.choice(("linear", "slerp"))},
        {"guidance_scale": 1 + k % 5 / 4, "delta": k % 5 / 4},
        {"num_inference_steps": 2 + k % 40, "t_index_list": sorted(rng.sample(range(50), 1 + k % 5))},
        {"prompt_list": [(rng.choice(TEXTS), 0.5), (rng.choice(TEXTS), 0.5)], "prompt_interpolation_method": "linear"},
        {"cfg_type": rng.choice(("none", "full", "self", "initialize")), "normalize_seed_weights": k % 2 == 0},
        {"guidance_scale": 99.0, "seed": -5},  # clamped
        {"num_inference_steps": 1 + k % 60},  # the list there is has to fit
        {"num_inference_steps": 1 + k % 60, "t_index_rescale": k % 2 == 0},
        {"frame_buffer_size": 1 + k % 3},
    ]
    update = rng.choice(choices)
    if rng.random() < 0.3:
        wrong = rng.choice(INVALID)
        update = {**update, **{name: value for name, value in wrong.items() if name not in update}}
    return update


class Witness:
    """Every value in the order in which it was set since the last frame, and where everything went at that frame."""

    def __init__(self, stream):
        self.order, self.targets, self._came = [], {}, []
        play, router = stream._play, stream._router
        sample = router.sample

        def played(name, value, beside):
            self._came.append((name, value))
            return play(name, value, beside)

        def sampled(now):
            self.order, self._came = self._came, []
            self.targets = {name: router.state.target(name) for name in router.table if name != "prompt"}
            return sample(now)

        stream._play, router.sample = played, sampled


class Told:
    """What the stream should hold after these values, told as plainly as it can be."""

    def __init__(self, state, table):
        self.state, self._table = dict(state), table

    def hear(self, name, value):
        steps = self.state["num_inference_steps"]
        try:
            self.state[name] = self._table[name].coerce(value).value
        except Refused:
            return
        if name == "seed":
            self.state["seed_list"] = None
        if name == "num_inference_steps" and self.state["t_index_rescale"]:
            self.state["t_index_list"] = rescaled(self.state["t_index_list"], steps, self.state[name])
        elif name in ("num_inference_steps", "t_index_list"):
            self.state["t_index_list"] = clamped(self.state["t_index_list"], self.state["num_inference_steps"])


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def run(wrapper, picture, exact, going_on):
    """Play while `going_on(frames)`; what was seen wrong, and how memory went: [(bytes, MB)]."""
    stream = wrapper.stream
    witness = Witness(stream)
    seen, faults, memory = [], [], []
    paint = stream._brush.group

    def recorded(group, snapshots):
        seen.append(snapshots[0].values)
        return paint(group, snapshots)

    stream._brush = replace(stream._brush, group=recorded)
    stop = threading.Event()

    def hammer(number):
        rng = random.Random(number)
        try:
            while not stop.is_set():
                wrapper.update_stream_params(**random_update(rng))
                time.sleep(0.004)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=hammer, args=(k,)) for k in range(THREADS)]
    first = {name: stream._router.state.target(name) for name in stream._router.table if name != "prompt"}
    told, n = Told(first, stream.table), 0
    for thread in threads:
        thread.start()
    try:
        while going_on(n):
            out = np.asarray(wrapper(picture))
            for name, value in witness.order:
                told.hear(name, value)
            values = seen.pop()
            assert out.std() > 1 or values["guidance_scale"] > BLINDING, n
            for name, wanted in told.state.items():
                assert witness.targets[name] == wanted, (n, name, witness.targets[name], wanted)
                if not stream._router.table[name].continuous:
                    assert values[name] == wanted, (n, name)
            if n % 20 == 0:
                gc.collect()
                memory.append((tracemalloc.get_traced_memory()[0], rss_mb()))
            n += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    return memory


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.long)], ids=["150 frames", "sixty seconds"])
def test_eight_threads_tear_nothing_and_leak_nothing(wrapper, picture, exact, caplog, seconds):
    caplog.set_level(logging.CRITICAL, "clavilux")  # the records that are kept for a failing test are no leak
    parts = (exact.networks, exact.unet, exact.codec, exact.schedule, exact.text)
    end = time.monotonic() + seconds
    tracemalloc.start()
    try:
        memory = run(wrapper, picture, exact, lambda n: time.monotonic() < end if seconds else n < 150)
    finally:
        tracemalloc.stop()
    assert all(
        a is b
        for a, b in zip(parts, (exact.networks, exact.unet, exact.codec, exact.schedule, exact.text), strict=True)
    )
    third = len(memory) // 3
    early, late = (
        [statistics.median(column) for column in zip(*part, strict=True)]
        for part in (memory[third : 2 * third], memory[-third:])
    )
    assert late[0] - early[0] < 400_000
    assert late[1] - early[1] < 16


def test_no_lock_is_held_while_a_frame_is_made(wrapper, picture, exact):
    wrapper(picture)
    stream, took = wrapper.stream, []

    def update():
        wrapper.update_stream_params(delta=0.5)
        took.append(wrapper.get_stream_state()["delta"])

    def call(x_t, *rest):
        assert not stream._turn.locked()
        thread = threading.Thread(target=update)
        thread.start()
        thread.join()
        return exact.unet(x_t, *rest)

    sampler = stream._brush.group.__self__._canvas.group.__self__._sampler
    sampler._unet = call
    before = np.asarray(wrapper(picture))
    assert took == [0.5] * 4  # in each of its steps
    assert before.std() > 1
