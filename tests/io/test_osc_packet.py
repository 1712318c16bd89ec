"""OSC packets, byte by byte: the examples of the OSC 1.0 specification, every type tag, and nothing but PacketError."""

import struct
import tracemalloc

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.osc_packet import (
    MAX_DEPTH,
    Bundle,
    Message,
    PacketError,
    encode,
    parse,
    time_tag,
    unix_seconds,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st


def padded(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return raw + b"\0" * (-len(raw) % 4)


def message(address: str, tags: str, body: bytes = b"") -> bytes:
    return padded(address) + padded("," + tags) + body


# "The Open Sound Control 1.0 Specification", section Examples.
OSCILLATOR = bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000")
FOO = bytes.fromhex(
    "2f666f6f 00000000 2c696973 66660000 000003e8 ffffffff 68656c6c 6f000000 3f9df3b6 40b5b22d".replace(" ", "")
)


def test_the_specifications_first_example():
    assert parse(OSCILLATOR) == Message("/oscillator/4/frequency", (440.0,))
    assert encode(Message("/oscillator/4/frequency", (440.0,))) == OSCILLATOR


def test_the_specifications_second_example():
    found = parse(FOO)
    assert isinstance(found, Message)
    assert found.address == "/foo"
    assert found.args[:3] == (1000, -1, "hello")
    assert found.args[3:] == pytest.approx((1.234, 5.678))
    assert encode(Message("/foo", (1000, -1, "hello", 1.234, 5.678))) == FOO


@pytest.mark.parametrize(
    ("tag", "body", "value"),
    [
        ("i", struct.pack(">i", -(2**31)), -(2**31)),
        ("f", struct.pack(">f", 0.5), 0.5),
        ("s", b"osc\0", "osc"),
        ("s", b"data\0\0\0\0", "data"),
        ("s", b"\0\0\0\0", ""),
        ("s", "\u00fcber".encode() + b"\0\0\0", "\u00fcber"),
        ("S", b"sym\0", "sym"),
        ("b", b"\0\0\0\x05abcde\0\0\0", b"abcde"),
        ("b", b"\0\0\0\0", b""),
        ("h", struct.pack(">q", 2**62), 2**62),
        ("t", struct.pack(">Q", 2**63 + 1), 2**63 + 1),
        ("d", struct.pack(">d", 0.1), 0.1),
        ("c", struct.pack(">i", 0x1F3B9), "\U0001f3b9"),
        ("r", b"\xff\x80\x00\x01", (255, 128, 0, 1)),
        ("m", b"\x00\x90\x3c\x40", (0, 0x90, 60, 64)),
        ("T", b"", True),
        ("F", b"", False),
        ("N", b"", None),
        ("I", b"", True),
    ],
)
def test_every_type_tag(tag, body, value):
    # The argument behind it stands where it should: no tag shifts what follows.
    found = parse(message("/a", tag + "i", body + struct.pack(">i", 77)))
    assert found == Message("/a", (value, 77))


def test_arrays_nest():
    packet = message("/a", "i[f[s]T]i[]", struct.pack(">if", 1, 0.5) + b"x\0\0\0" + struct.pack(">i", 2))
    assert parse(packet) == Message("/a", (1, (0.5, ("x",), True), 2, ()))


def test_a_message_of_an_old_sender_without_type_tags():
    assert parse(b"/tap\0\0\0\0") == Message("/tap", ())


def test_bundles_nest_and_keep_their_order():
    bundle = Bundle(1, (Message("/a", (1,)), Bundle(time_tag(10.0), (Message("/b"),)), Message("/c", ("x",))))
    assert parse(encode(bundle)) == bundle
    assert parse(encode(Bundle(1))) == Bundle(1)


def test_time_tags_are_seconds_since_1900():
    assert time_tag(0.0) == 2_208_988_800 << 32
    assert unix_seconds(time_tag(1_795_000_000.25)) == pytest.approx(1_795_000_000.25, abs=1e-6)


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"", "multiple of 4"),
        (b"/a\0", "multiple of 4"),
        (b"abcd", "begins with / or #bundle"),
        (b"/abc", "without its end"),
        (b"/a\0\0iii\0", "no type tags"),
        (b"/a\0\0,iii", "without its end"),
        (message("/a", "i"), "end early"),
        (message("/a", "d", b"\0" * 4), "end early"),
        (message("/a", "i", b"\0" * 8), "4 bytes too many"),
        (message("/a", "q", b"\0" * 4), "unknown type tag 'q'"),
        (message("/a", "b", b"\x7f\xff\xff\xff"), "a blob of 2147483647 bytes"),
        (message("/a", "b", b"\xff\xff\xff\xff"), "a blob of -1 bytes"),
        (message("/a", "[i", b"\0" * 4), "never closed"),
        (message("/a", "]"), "never opened"),
        (message("/a", "[" * 40 + "]" * 40), "arrays nested too deeply"),
        (message("/a", "s", b"\xff\xfe\0\0"), "not UTF-8"),
        (message("/a", "c", struct.pack(">i", 0xD800)), "is no character"),
        (b"#bundle\0" + b"\0" * 4, "without its time tag"),
        (b"#bundle\0" + b"\0" * 8 + struct.pack(">i", 400), "400 bytes"),
        (b"#bundle\0" + b"\0" * 8 + struct.pack(">i", 0), "0 bytes"),
        (b"#bundle\0" + b"\0" * 8 + struct.pack(">i", -4) + b"/a\0\0", "-4 bytes"),
    ],
)
def test_what_is_no_packet_says_why(packet, words):
    with pytest.raises(PacketError, match=words):
        parse(packet)


def test_bundles_nested_too_deeply_are_refused():
    packet = encode(Message("/a"))
    for _ in range(MAX_DEPTH + 1):
        packet = b"#bundle\0" + b"\0" * 7 + b"\x01" + struct.pack(">i", len(packet)) + packet
    with pytest.raises(PacketError, match="too deeply"):
        parse(packet)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_packet_or_a_packet_error(raw):
    survives(raw)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([OSCILLATOR, FOO, encode(Bundle(1, (Message("/a", (1, "x")),)))]))
def test_damaged_packets_are_packets_or_packet_errors(noise, good):
    at = len(noise) % len(good)
    survives(good[:at] + noise[:16] + good[at:])
    survives(good[:at] + noise[:4] + good[at + 4 :])
    survives(good[:at])


@settings(deadline=None)
@given(st.text("ifsSbhtdcrmTFNI[],", max_size=30), st.binary(max_size=120))
@example("[[[[[[[[[[[[[[[[[[[[[[[[[[", b"")
def test_any_type_tags_are_a_packet_or_a_packet_error(tags, body):
    survives(message("/a", tags, body + b"\0" * (-len(body) % 4)))


def survives(raw: bytes) -> None:
    try:
        found = parse(raw)
    except PacketError as e:
        found = e
    assert found is not None


VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(width=32, allow_nan=False),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        st.binary(),
        st.booleans(),
        st.none(),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5))
def test_what_is_encoded_is_read_back(args):
    assert parse(encode(Message("/x", tuple(args)))) == Message("/x", tuple(args))


def test_a_fader_that_is_known_reads_as_one_that_is_new():
    for value in (0.5, 0.25, 7, -7):
        assert parse(encode(Message("/fader", (value,)))) == Message("/fader", (value,))
    good = encode(Message("/fader", (0.5,)))
    for damaged in (good[:-4], good + b"\0\0\0\0", good[:-1]):
        with pytest.raises(PacketError):
            parse(damaged)
    for n in range(5000):
        assert parse(encode(Message(f"/fader/{n}", (n,)))).address == f"/fader/{n}"


def test_endless_addresses_leave_nothing_in_memory():
    router = Router(Notices(ManualClock()))
    tracemalloc.start()
    try:
        for n in range(100):
            found = parse(encode(Message(f"/{n}/{'x' * 50_000}", (0.5,))))
            router.feed(Event(n, "osc", found.address, found.args))
        assert tracemalloc.get_traced_memory()[0] < 1_000_000, "of 10 MB that came in"
    finally:
        tracemalloc.stop()


def test_values_at_the_edge_of_a_tag():
    found = parse(encode(Message("/x", (2**31, 1e300, 2**70, "a\0b", "\ud800", [1, [2]]))))
    assert found == Message("/x", (2**31, 1e300, float(2**70), "a", "?", (1, (2,))))


def test_what_osc_has_no_tag_for():
    with pytest.raises(TypeError, match="no type tag for complex"):
        encode(Message("/x", (1j,)))
