"""Which source is seen: crossfades, a source that dies, the fallback, and the way back."""

import itertools
from dataclasses import replace

import numpy as np
from clavilux.engine.core.frame import Frame, Layer
from clavilux.engine.core.mixer import Mixer


class Feed:
    """A source of one grey level that lives or not."""

    def __init__(self, level, alive=True):
        self.level, self.lives, self.count = level, alive, 0

    def newest(self):
        if self.level is None:
            return None
        self.count += 1
        return Frame(np.full((4, 6, 3), self.level, np.uint8), self.count, self.count / 10)

    def alive(self, now):
        return self.lives and self.level is not None


class Named(Feed):
    """One whose frames say where they are from."""

    def __init__(self, name, level):
        super().__init__(level)
        self.name = name

    def newest(self):
        frame = super().newest()
        return replace(frame, layers=(Layer(self.name, frame.n),))


def level(frame):
    assert len(np.unique(frame.pixels)) == 1
    return int(frame.pixels[0, 0, 0])


def test_the_first_source_is_seen_at_once_and_the_next_by_crossfade():
    mixer, a, b = Mixer(fade=1.0), Feed(0), Feed(200)
    assert level(mixer.next(a, None, 0.0)) == 0
    seen = [level(mixer.next(b, None, 1.0 + k / 10)) for k in range(12)]
    assert seen[0] == 0
    assert seen[10:] == [200, 200]
    assert seen[5] == 100
    assert all(0 <= y - x <= 21 for x, y in itertools.pairwise(seen))
    assert not mixer.fading
    assert not mixer.uses(a)


def test_a_source_that_is_not_there_yet_leaves_the_old_one_playing():
    mixer, a, late = Mixer(fade=0.0), Feed(50), Feed(None)
    mixer.next(a, None, 0.0)
    before = a.count
    for k in range(100):
        assert level(mixer.next(late, Feed(99), 0.1 * k)) == 50
    assert a.count >= before + 100
    late.level = 70
    assert level(mixer.next(late, None, 11.0)) == 70


def test_a_source_that_dies_is_held_then_the_fallback_fades_in_and_it_fades_back_when_it_returns():
    mixer, a, fallback = Mixer(fade=1.0, patience=2.0), Feed(200), Feed(0)
    mixer.next(a, fallback, 0.0)
    a.lives = False
    seen = {round(k / 10, 1): level(mixer.next(a, fallback, k / 10)) for k in range(1, 45)}
    assert all(seen[t] == 200 for t in (0.1, 1.0, 2.0))
    assert seen[2.6] in range(95, 106)
    assert seen[3.2] == seen[4.4] == 0
    a.lives = True
    back = [level(mixer.next(a, fallback, 5.0 + k / 10)) for k in range(12)]
    assert back[0] == 0
    assert back[5] == 100
    assert back[-1] == 200


def test_without_a_fallback_the_last_frame_stands_for_ever():
    mixer, a = Mixer(), Feed(123)
    mixer.next(a, None, 0.0)
    a.lives = False
    assert {level(mixer.next(a, None, float(t))) for t in range(1000)} == {123}
    assert mixer.lost(1000.0) >= 998


def test_a_fade_that_begins_during_another_starts_from_the_picture_there_is():
    mixer, a, b, c = Mixer(fade=1.0), Feed(0), Feed(200), Feed(50)
    mixer.next(a, None, 0.0)
    mixer.next(b, None, 1.0)
    assert level(mixer.next(b, None, 1.5)) == 100
    seen = [level(mixer.next(c, None, 1.5 + k / 10)) for k in range(11)]
    assert seen[0] == 100
    assert seen[-1] == 50
    assert max(abs(x - y) for x, y in itertools.pairwise(seen)) <= 6


def test_nothing_is_seen_before_anything_is_delivered():
    assert Mixer().next(Feed(None), None, 0.0) is None


def test_sources_of_two_sizes_are_cut_and_not_mixed():
    class Small(Feed):
        def newest(self):
            return Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0)

    mixer = Mixer()
    mixer.next(Feed(9), None, 0.0)
    assert mixer.next(Small(0), None, 1.0).size == (2, 2)


def test_a_frame_says_what_it_was_mixed_from_so_that_it_can_be_mixed_again():
    mixer, a, b, c = Mixer(fade=1.0), Named("a", 10), Named("b", 200), Named("c", 90)
    told = [mixer.next(feed, None, t) for feed, t in ((a, 0.0), (b, 1.0), (b, 1.5), (c, 1.5), (c, 1.75), (c, 3.0))]
    assert [[(layer.source, layer.share) for layer in frame.layers] for frame in told] == [
        [("a", 1.0)],
        [("a", 1.0), ("b", 0.0)],
        [("a", 1.0), ("b", 0.5)],
        [("a", 1.0), ("b", 0.5), ("c", 0.0)],
        [("a", 1.0), ("b", 0.5), ("c", 0.25)],
        [("c", 1.0)],
    ]
    assert [layer.n for layer in told[4].layers[:2]] == [layer.n for layer in told[3].layers[:2]]


def test_turning_without_end_does_not_pile_up_layers():
    mixer, feeds = Mixer(fade=1.0), [Named("a", 10), Named("b", 200)]
    lengths = [len(mixer.next(feeds[k % 2], None, k / 3).layers) for k in range(300)]
    assert max(lengths) == max(lengths[:60]) < 40
