"""MIDI bytes to events, as tables; and streams cut into messages by the rules of MIDI 1.0."""

import pytest
from clavilux.io.midi_message import MidiStream, midi_event
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("raw", "address", "args"),
    [
        ("90 3C 40", "/note/1/60", (64,)),
        ("9F 3C 40", "/note/16/60", (64,)),
        ("90 3C 00", "/note/1/60", (0,)),
        ("80 3C 40", "/note/1/60", (0,)),
        ("A2 3C 11", "/polytouch/3/60", (17,)),
        ("B0 15 7F", "/cc/1/21", (127,)),
        ("B7 07 00", "/cc/8/7", (0,)),
        ("C0 05", "/program/1", (5,)),
        ("D3 64", "/aftertouch/4", (100,)),
        ("E0 00 40", "/pitchbend/1", (0,)),
        ("E0 00 00", "/pitchbend/1", (-8192,)),
        ("E0 7F 7F", "/pitchbend/1", (8191,)),
        ("E0 01 40", "/pitchbend/1", (1,)),
        ("F8", "/clock", ()),
        ("FA", "/start", ()),
        ("FB", "/continue", ()),
        ("FC", "/stop", ()),
        ("F2 01 02", "/songposition", (257,)),
    ],
)
def test_messages_as_events(raw, address, args):
    event = midi_event(bytes.fromhex(raw), "nanoKONTROL2", 1.5)
    assert event is not None
    assert (event.t, event.port, event.address, event.args) == (1.5, "midi:nanoKONTROL2", address, args)


@pytest.mark.parametrize(
    "raw", ["", "40", "3C 40", "B0", "B0 15", "B0 15 7F 01", "B0 15 80", "F0 01 F7", "F6", "FE", "FF", "F2 01", "F8 00"]
)
def test_what_plays_nothing(raw):
    assert midi_event(bytes.fromhex(raw), "x", 0.0) is None


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        # Running status: the status byte is said once.
        ("B0 15 01 15 02 15 03", ["B01501", "B01502", "B01503"]),
        ("C0 01 02 03", ["C001", "C002", "C003"]),
        # Real-time bytes stand anywhere, even inside a message, and leave running status alone.
        ("B0 F8 15 FA 01 15 F8 02", ["F8", "FA", "B01501", "F8", "B01502"]),
        # System common and sysex end running status; stray data bytes belong to nothing.
        ("B0 15 01 F3 05 15 02", ["B01501", "F305"]),
        ("B0 15 01 F0 01 02 F8 03 F7 15 02", ["B01501", "F8"]),
        ("F0 01 02 90 3C 40", ["903C40"]),
        ("15 01 B0 15 02", ["B01502"]),
        ("F6 B0 15 01", ["F6", "B01501"]),
        ("F4 01 B0 15 01", ["B01501"]),
        ("F2 01 02 03 04", ["F20102"]),
        # A message that is never finished is forgotten.
        ("B0 15 90 3C 40", ["903C40"]),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 100])
def test_streams_cut_into_messages(stream, messages, piece):
    raw = bytes.fromhex(stream)
    cutter = MidiStream()
    found = [m for at in range(0, len(raw), piece) for m in cutter.feed(raw[at : at + piece])]
    assert [m.hex().upper() for m in found] == messages


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 7))
def test_any_bytes_give_whole_messages_however_they_are_cut(raw, piece):
    cutter = MidiStream()
    found = [m for at in range(0, len(raw), piece) for m in cutter.feed(raw[at : at + piece])]
    assert found == MidiStream().feed(raw)
    for m in found:
        assert m[0] >= 0x80
        midi_event(m, "x", 0.0)
    assert sum(map(len, found)) <= 3 * max(1, len(raw))
