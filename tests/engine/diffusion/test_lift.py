"""Frames to a card and back, against a stand-in of torch.cuda on which copies happen late: whoever does not wait for
them reads what was there before."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from clavilux.engine.core.twins import twin_of
from clavilux.engine.diffusion.lift import Lift
from clavilux.engine.diffusion.pixels import Canvas

SHAPE = (6, 8, 3)


class Stream:
    """Work in the order in which it was given; nothing runs until somebody waits for it."""

    def __init__(self, device=None) -> None:
        self.work, self.given, self.done = [], 0, 0

    def do(self, work) -> None:
        self.work.append(work)
        self.given += 1

    def wait_stream(self, other) -> None:
        so_far = other.given
        self.do(lambda: other.finish(so_far))

    def finish(self, until=None) -> None:
        until = self.given if until is None else until
        while self.done < until:
            self.done += 1
            self.work.pop(0)()


class Cuda:
    def __init__(self) -> None:
        self.now = self.default = Stream()
        self.copies = []

    Stream = Stream

    def current_stream(self, device):
        return self.now

    @contextmanager
    def stream(self, stream):
        before, self.now = self.now, stream
        yield
        self.now = before

    def Event(self):
        event = type("Event", (), {})()
        event.record = lambda stream: event.__dict__.update(stream=stream, until=stream.given)
        event.synchronize = lambda: event.stream.finish(event.until)
        return event

    def memory(self, where):
        """Memory `where`, copies into which happen on the current stream."""
        cuda = self

        class Place(torch.Tensor):
            def copy_(self, source, non_blocking=False):
                assert non_blocking
                stream = cuda.now
                assert stream is not cuda.default, "a copy on the stream that computes"
                cuda.copies.append((where, getattr(source, "lies", "card")))
                plain, other = self.as_subclass(torch.Tensor), source.as_subclass(torch.Tensor)
                stream.do(lambda: plain.copy_(other))
                return self

            def record_stream(self, stream):
                pass

        def make(shape):
            place = torch.zeros(shape, dtype=torch.uint8).as_subclass(Place)
            place.lies = where
            return place

        return make


@pytest.fixture
def cuda() -> Cuda:
    return Cuda()


@pytest.fixture
def lift(cuda):
    return Lift(SHAPE, torch.device("cuda"), cuda, cuda.memory("pinned"), cuda.memory("card"))


def picture(seed, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def computed(cuda, tensor) -> np.ndarray:
    """What the stream that computes reads when it comes to it."""
    out = []
    cuda.default.do(lambda: out.append(tensor.as_subclass(torch.Tensor).numpy().copy()))
    cuda.default.finish()
    return out[0][0]


def test_a_picture_goes_up_once_from_pinned_memory_and_is_there_when_it_is_read(cuda, lift):
    for seed in range(5):
        assert np.array_equal(computed(cuda, lift.up(picture(seed))), picture(seed))
    assert cuda.copies == [("card", "pinned")] * 5


def test_a_picture_is_not_overwritten_before_the_card_has_read_it(cuda, lift):
    there = [lift.up(picture(seed)) for seed in range(2)]  # nothing has run yet
    assert np.array_equal(computed(cuda, there[0]), picture(0))
    assert np.array_equal(computed(cuda, there[1]), picture(1))
    slow = []
    cuda.default.do(lambda: slow.append(there[0].as_subclass(torch.Tensor).numpy()[0].copy()))
    lift.up(picture(2))  # takes the first one's place, after it was read
    cuda.default.finish()
    assert np.array_equal(slow[0], picture(0))


def test_what_comes_down_is_what_was_computed_and_stays(cuda, lift):
    painted = cuda.memory("card")(SHAPE)
    out = []
    for seed in range(3):

        def paint(seed=seed):
            painted.as_subclass(torch.Tensor).copy_(torch.from_numpy(picture(seed)))

        cuda.default.do(paint)
        out.append(lift.down(painted))
    assert all(np.array_equal(pixels, picture(seed)) for seed, pixels in enumerate(out))
    assert cuda.copies == [("pinned", "card")] * 3


def test_a_canvas_on_a_card_carries_its_frames_so_and_notes_their_twins(cuda):
    def made(shape, device):
        assert shape == (8, 8, 3)
        return Lift(shape, device, cuda, cuda.memory("pinned"), cuda.memory("card"))

    canvas = Canvas(6, 8, 8, "cuda", made)
    pixels = picture(1, (8, 6, 3))
    there = canvas.load(pixels)
    up = computed(cuda, there)
    assert np.array_equal(up[:, :6], pixels)
    assert np.array_equal(up[:, 6], pixels[:, 5])  # the edge is repeated
    back = canvas.store(there)
    assert np.array_equal(back, pixels)
    assert back.flags.owndata
    assert cuda.copies == [("card", "pinned"), ("pinned", "card")]
    assert twin_of(back) is None  # the stand-in lies in memory


def test_where_no_memory_can_be_pinned_frames_go_all_the_same(monkeypatch, caplog):
    caplog.set_level("INFO", "clavilux")

    def refuse(shape, device):
        raise RuntimeError("cannot pin memory")

    canvas = Canvas(8, 8, 8, "cuda", refuse)
    monkeypatch.setattr(canvas, "_device", torch.device("cpu"))
    assert np.array_equal(canvas.store(canvas.load(picture(2, (8, 8, 3)))), picture(2, (8, 8, 3)))
    assert "cannot pin memory" in caplog.text
