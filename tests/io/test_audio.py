"""Sound in: a device's blocks become levels, and what fails is said, tried again, and costs no frame."""

import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.io import audio
from clavilux.io.audio import AudioPort, AudioUnavailable

from .waiting import until

TONE = (0.5 * np.sin(2 * np.pi * 60 * np.arange(51_200) / 48_000)).astype(np.float32)


class FakeSounddevice:
    """The library with one device, which can be pulled out. As PortAudio does, it knows of the devices that were there
    when it was initialized, and takes its streams with it when it ends."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self) -> None:
        self.there, self.opened, self.closed = True, [], 0
        self.listed, self.starts, self.does_not_start = True, 0, ""
        self.device = {"name": "Room", "index": 3, "max_input_channels": 8, "default_samplerate": 48_000.0}

    def query_devices(self, name=None, kind=None):
        if kind is None:
            return [self.device, {"name": "Speakers", "max_input_channels": 0}]
        if not self.listed or name not in (None, "room"):
            raise ValueError(f"No input device matching {name!r}")
        return self.device

    def InputStream(self, **asked):
        self.opened.append(asked)
        return SimpleNamespace(start=self.start, close=self.close)

    def start(self) -> None:
        if not self.there or self.does_not_start:
            raise self.PortAudioError(self.does_not_start or "the device is gone")

    def close(self) -> None:
        self.closed += 1

    def _terminate(self) -> None:
        assert self.closed == len(self.opened), "a stream is closed for good under whoever plays it"
        self.listed = False

    def _initialize(self) -> None:
        self.starts += 1
        self.listed = self.there


@pytest.fixture
def device(monkeypatch):
    fake = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(audio, "_AGAIN", 0.05)
    return fake


def opened(name: str = "default", clock=None):
    clock = clock or ManualClock()
    notices, inbox = Notices(clock), Inbox()
    return AudioPort(name, clock, inbox, notices), inbox, notices, clock


def texts(notices) -> str:
    return "\n".join(n.text for n in notices.recent)


def test_blocks_of_a_device_become_levels_not_more_often_than_frames(device):
    port, inbox, notices, clock = opened("room")
    port.start()
    try:
        assert until(lambda: device.opened)
        [asked] = device.opened
        assert (asked["device"], asked["channels"], asked["samplerate"], asked["dtype"]) == (3, 2, 48_000.0, "float32")
        for block in TONE.reshape(100, 512):
            clock.advance(512 / 48_000)
            asked["callback"](np.stack([block, block], 1), 512, None, None)
        events = inbox.drain()
        assert 50 <= len(events) <= 65
        low, mid, high, whole = events[-1].args
        assert (events[-1].port, events[-1].address) == ("audio", "/audio")
        assert low > 0.9 > 0.5 > max(mid, high)
        assert whole > 0.9
        assert "Room is listened to" in texts(notices)
    finally:
        port.stop()
    assert device.closed == 1


def test_a_device_that_says_nothing_any_more_is_gone_and_is_found_again(device):
    port, _, notices, clock = opened()
    port.start()
    try:
        assert until(lambda: len(device.opened) == 1)
        device.there = False
        clock.advance(audio._DEAD + 1)
        assert until(lambda: "Room is gone" in texts(notices))
        assert until(lambda: "cannot be listened to" in texts(notices))
        device.there = True
        assert until(lambda: len(device.opened) == 2)
    finally:
        port.stop()
    assert threading.active_count() < 20


def test_a_device_that_is_plugged_in_later_is_found(device):
    device.there = device.listed = False
    port, _, notices, _ = opened("room")
    port.start()
    try:
        assert until(lambda: device.starts >= 2)
        assert "cannot be listened to" in texts(notices)
        device.there = True
        assert until(lambda: "Room is listened to" in texts(notices))
    finally:
        port.stop()
    assert len(device.opened) == device.closed == 1


def test_while_another_stream_plays_the_devices_are_not_listed_anew(device):
    playing, absent = opened("room")[0], opened("stage")[0]
    playing.start()
    try:
        assert until(lambda: len(device.opened) == 1)
        absent.start()
        assert until(lambda: "cannot be listened to" in texts(absent._notices))
        time.sleep(4 * audio._AGAIN)
        assert device.starts == 0
        playing.stop()
        assert until(lambda: device.starts > 0)
    finally:
        playing.stop()
        absent.stop()
    assert device.closed == 1


def test_a_library_that_cannot_list_anew_is_asked_as_it_is(device, monkeypatch):
    monkeypatch.delattr(FakeSounddevice, "_terminate")
    audio._list_anew()
    assert device.starts == 0


def test_one_that_does_not_start_anew_is_tried_again(device, monkeypatch):
    def fail(_) -> None:
        raise device.PortAudioError("not initialized")

    monkeypatch.setattr(FakeSounddevice, "_terminate", fail)
    audio._list_anew()
    assert device.starts == 1
    monkeypatch.setattr(FakeSounddevice, "_initialize", fail)
    audio._list_anew()


def test_a_stream_that_does_not_start_is_closed(device):
    device.does_not_start = "the device is busy"
    for _ in range(3):
        with pytest.raises(AudioUnavailable, match=r"cannot be listened to \(the device is busy\)"):
            audio._open_device("default", lambda *_: None)
    assert len(device.opened) == device.closed == 3
    assert not audio._devices


def test_a_jack_client_that_does_not_start_is_closed(monkeypatch):
    closed = []
    error = type("JackError", (Exception,), {})

    def activate() -> None:
        raise error("no room for another client")

    client = SimpleNamespace(
        samplerate=48_000, inports=SimpleNamespace(register=lambda _: None), set_process_callback=lambda _: None,
        activate=activate, close=lambda: closed.append(1),
    )  # fmt: skip
    library = SimpleNamespace(Client=lambda *_, **__: client, JackError=error, JackOpenError=error)
    monkeypatch.setitem(sys.modules, "jack", library)
    with pytest.raises(AudioUnavailable, match="no room for another client"):
        audio._open_jack("jack", lambda *_: None)
    assert closed == [1]


def test_what_is_missing_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioUnavailable, match=r'pip install "clavilux\[audio\]"'):
        audio.names()
    port, _, notices, _ = opened()
    port.start()
    assert until(lambda: "clavilux[audio]" in texts(notices))
    port.stop()
    monkeypatch.setitem(sys.modules, "jack", None)
    with pytest.raises(AudioUnavailable, match="JACK needs a library"):
        audio._open_jack("jack", lambda *_: None)


def test_inputs_are_listed_and_a_wrong_name_is_said(device):
    assert audio.names() == ["Room"]
    with pytest.raises(AudioUnavailable, match=r"stage cannot be listened to .*`clavilux ports` lists inputs"):
        audio._open_device("stage", lambda *_: None)


class WindowsSounddevice(FakeSounddevice):
    """Windows lists every device once for each of its drivers, the oldest first and with its name cut off."""

    DRIVERS = ("MME", "Windows DirectSound", "Windows WASAPI", "Windows WDM-KS")
    refuses: tuple[int, ...] = ()

    def query_devices(self, name=None, kind=None):
        whole = "Microphone (Focusrite USB Audio)"
        rows = [
            {**self.device, "name": whole[:31] if k == 0 else whole, "index": k, "hostapi": k}
            for k in range(len(self.DRIVERS))
        ]
        if kind is None:
            return rows
        if name is None:
            return rows[0]
        found = [row for row in rows if name.lower() in row["name"].lower()]
        raise ValueError("Multiple input devices found" if found else f"No input device matching {name!r}")

    def query_hostapis(self):
        return [{"name": name} for name in self.DRIVERS]

    def InputStream(self, **asked):
        if asked["device"] in self.refuses:
            raise self.PortAudioError("Invalid device")
        return super().InputStream(**asked)


@pytest.mark.parametrize(
    ("name", "refuses", "taken"),
    [
        ("focusrite", (), 2),
        ("Microphone (Focusrite USB Audio)", (), 2),
        ("focusrite", (2,), 1),
        ("focusrite", (1, 2), 0),
        ("default", (), 0),
    ],
)
def test_a_device_that_windows_lists_once_for_each_driver_is_opened_by_the_best(monkeypatch, name, refuses, taken):
    fake = WindowsSounddevice()
    fake.refuses = refuses
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    stream, words = audio._open_device(name, lambda *_: None)
    stream.close()
    assert [asked["device"] for asked in fake.opened] == [taken]
    assert words.startswith("Microphone (Focusrite USB Audio")


def test_a_device_that_no_driver_of_windows_opens_is_said(monkeypatch):
    fake = WindowsSounddevice()
    fake.refuses = (0, 1, 2, 3)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    with pytest.raises(AudioUnavailable, match=r"focusrite cannot be listened to \(Invalid device\)"):
        audio._open_device("focusrite", lambda *_: None)
    with pytest.raises(AudioUnavailable, match="No input device matching 'stage'"):
        audio._open_device("stage", lambda *_: None)


@pytest.mark.real
def test_a_tone_out_of_another_jack_program_is_heard_in_its_band(jack):
    library = pytest.importorskip("jack")
    player = library.Client("player", no_start_server=True)
    out = player.outports.register("out")
    place = 0

    def play(frames: int) -> None:
        nonlocal place
        out.get_array()[:] = 0.5 * np.sin(2 * np.pi * 70 * np.arange(place, place + frames) / player.samplerate)
        place += frames

    player.set_process_callback(play)
    player.activate()
    port, inbox, notices, _ = opened("jack", SystemClock())
    port.start()
    heard: list = []

    def loud() -> bool:
        heard.extend(inbox.drain())
        return bool(heard) and heard[-1].args[0] > 0.8 > 0.3 > heard[-1].args[2]

    try:
        assert until(lambda: "JACK" in texts(notices))
        time.sleep(0.2)
        assert until(lambda: player.get_ports("clavilux:in"))
        player.connect(out, "clavilux:in")
        assert until(loud)
        gaps = np.diff([event.t for event in heard[-20:]])
        assert gaps.min() > 0.01
    finally:
        port.stop()
        player.close()
