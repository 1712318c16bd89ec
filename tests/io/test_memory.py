"""The fakes keep the contracts of real sources and sinks."""

import numpy as np
import pytest
from clavilux.engine.core.frame import Frame
from clavilux.io.faults import SinkFailed, SourceFailed
from clavilux.io.memory import ListSource, MemorySink


def picture(level):
    return np.full((2, 2, 3), level, np.uint8)


def test_a_list_plays_for_ever_and_can_be_rewound():
    source = ListSource([picture(1), Frame(picture(2), 99, 5.0)], fps=10.0)
    frames = [source.read() for _ in range(5)]
    assert [int(f.pixels[0, 0, 0]) for f in frames] == [1, 2, 1, 2, 1]
    assert [(f.n, f.t) for f in frames] == [(n, n / 10) for n in range(5)]
    source.seek(3)
    frame = source.read()
    assert (frame.n, int(frame.pixels[0, 0, 0])) == (3, 2)


def test_faults_come_in_their_turn():
    source = ListSource([picture(1), SourceFailed("unplugged"), picture(2)])
    assert source.read().n == 0
    with pytest.raises(SourceFailed, match="unplugged"):
        source.read()
    assert source.read().n == 1
    sink = MemorySink(faults=[1])
    frame = source.read()
    sink.write(frame)
    with pytest.raises(SinkFailed, match="memory refuses write 1"):
        sink.write(frame)
    assert len(sink.frames) == 1


def test_a_live_list_is_not_rewound_and_an_empty_one_is_refused():
    with pytest.raises(SourceFailed, match="live"):
        ListSource([picture(0)], live=True).seek(0)
    with pytest.raises(ValueError, match="at least one frame"):
        ListSource([])
