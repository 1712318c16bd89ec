"""OSC over a stream: both framings, cut anywhere."""

import pytest
from clavilux.io.osc_packet import PacketError
from clavilux.io.osc_stream import LARGEST, Unframer, frame
from hypothesis import given, settings
from hypothesis import strategies as st

# Inside a packet anything may stand, SLIP's own bytes too; a packet itself begins with / or #.
packets = st.lists(st.binary(max_size=40).map(lambda rest: b"/" + rest), max_size=8)


@settings(deadline=None)
@given(packets, st.booleans(), st.lists(st.integers(1, 9), min_size=1))
def test_packets_come_out_as_they_went_in_however_the_stream_is_cut(sent, slip, cuts):
    stream = b"".join(frame(p, slip) for p in sent)
    unframer, found, at, k = Unframer(), [], 0, 0
    while at < len(stream):
        size = cuts[k % len(cuts)]
        found += unframer.feed(stream[at : at + size])
        at, k = at + size, k + 1
    assert found == sent


def test_slip_with_one_end_after_each_packet():
    assert Unframer().feed(b"/a\0\0,\0\0\0\xc0/b\0\0,\0\0\0\xc0") == [b"/a\0\0,\0\0\0", b"/b\0\0,\0\0\0"]


@pytest.mark.parametrize("stream", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", (LARGEST + 1).to_bytes(4, "big"), bytes(4)])
def test_what_is_no_osc_is_refused_in_words(stream):
    with pytest.raises(PacketError):
        Unframer().feed(stream)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_bytes_raise_anything_else(pieces):
    unframer = Unframer()
    try:
        for piece in pieces:
            unframer.feed(piece)
    except PacketError:
        pass
