"""Sound in: a device or a JACK client whose loudness swings parameters. Extra `audio`.

The driver's own thread turns blocks into four levels; nothing is recorded, and no sound leaves this machine.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Protocol

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from ..engine.core.loudness import Loudness
from ..engine.core.notices import Notices

ADDRESS = "/audio"
JACK = "jack"
# Not more often than a fast show has frames.
_SAY = 1 / 60
_BLOCK = 512
# A device that is gone is looked for so often; one that says nothing for so long is gone.
_AGAIN, _DEAD = 2.0, 3.0

Hear = Callable[[np.ndarray], None]
# PortAudio is for one thread at a time; the devices that are open through it.
_portaudio = threading.Lock()
_devices: set["_Device"] = set()


class AudioUnavailable(Exception):
    """There is no such sound; the message says why and what to do."""


class Stream(Protocol):
    """An open device."""

    def close(self) -> None: ...


class AudioPort:
    """Tells the inbox how loud it is: (low, mid, high, all), each 0..1. `name`: `default`, a part of a device's name,
    or `jack`. What cannot be opened is said once and tried again."""

    def __init__(self, name: str, clock: Clock, inbox: Inbox, notices: Notices) -> None:
        self.name = name
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._said_at = self._heard_at = float("-inf")
        self._blocks: list[np.ndarray] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)

    def start(self) -> None:
        """Listen, on a thread of its own. Never raises."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening. Fine to call twice, and without a start."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_AGAIN)

    def heard(self, loudness: Loudness, block: np.ndarray) -> None:
        """A block of samples has come: (n,) or (n, channels). Called by the driver, whose blocks may be tiny: they are
        looked at together."""
        self._heard_at = t = self._clock.now()
        self._blocks.append(block.copy() if block.ndim == 1 else block.mean(1))
        if t - self._said_at >= _SAY:
            self._said_at = t
            levels = loudness.feed(np.concatenate(self._blocks))
            self._blocks.clear()
            self._inbox.put(Event(t, "audio", ADDRESS, levels))

    def _run(self) -> None:
        open_stream = _open_jack if self.name == JACK else _open_device
        again = False
        while not self._ended.is_set():
            self._blocks.clear()
            try:
                if again and self.name != JACK:
                    _list_anew()
                again = True
                stream, words = open_stream(self.name, self.heard)
            except AudioUnavailable as e:
                self._notices.say("audio:missing", f"audio: {e}")
            else:
                for fault in ("audio:missing", "audio:gone"):
                    self._notices.clear(fault)
                self._notices.say("audio", f"audio: {words} is listened to", logging.INFO)
                self._heard_at = self._clock.now()
                while not self._ended.wait(0.1) and self._clock.now() - self._heard_at < _DEAD:
                    pass
                stream.close()
                if not self._ended.is_set():
                    self._notices.say("audio:gone", f"audio: {words} is gone; it plays on as soon as it is back")
            self._ended.wait(_AGAIN)


def names() -> list[str]:
    """Sound inputs by name. Raises AudioUnavailable."""
    device = _sounddevice()
    try:
        with _portaudio:
            found = [row["name"] for row in device.query_devices() if row["max_input_channels"] > 0]
    except device.PortAudioError as e:
        raise AudioUnavailable(f"devices cannot be listed: {e}") from None
    return list(dict.fromkeys(found))


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise AudioUnavailable('sound needs a library: pip install "clavilux[audio]"') from None
    except OSError:
        raise AudioUnavailable("sound needs PortAudio (Debian: apt-get install libportaudio2)") from None
    return sounddevice


def _list_anew() -> None:
    """PortAudio lists the devices when it starts, and never again: what was plugged in since then is there when it has
    started anew. While a stream of ours plays, that has to wait."""
    device = _sounddevice()
    with _portaudio:
        if _devices or not (hasattr(device, "_terminate") and hasattr(device, "_initialize")):
            return
        for step in (device._terminate, device._initialize):
            # One that did not start the last time has nothing to end; one that does not start now says why when asked.
            with suppress(device.PortAudioError):
                step()


class _Device:
    """An open stream of PortAudio."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        _devices.add(self)

    def close(self) -> None:
        with _portaudio:
            self._stream.close()
            _devices.discard(self)


def _open_device(name: str, heard: Callable[[Loudness, np.ndarray], None]) -> tuple[Stream, str]:
    device = _sounddevice()
    why = ""
    try:
        with _portaudio:
            for found in _meant(device, name):
                try:
                    return _Device(_listening(device, found, heard)), found["name"]
                except device.PortAudioError as e:
                    why = why or str(e).strip()
    except (device.PortAudioError, ValueError) as e:
        why = str(e).strip()
    why = why or "it does not open"
    raise AudioUnavailable(f"{name} cannot be listened to ({why}); `clavilux ports` lists inputs")


def _meant(device: Any, name: str) -> list[Any]:
    """The inputs that a performer may mean by `name`, the best first: Windows has each device once for every one of its
    drivers. Raises ValueError where there is none."""
    try:
        return [device.query_devices(None if name == "default" else name, "input")]
    except ValueError:
        # Where several are called so, the library takes none.
        rows = [row for row in device.query_devices() if row["max_input_channels"] > 0]
        found = [row for row in rows if name.lower() in row["name"].lower()]
        if len(found) < 2:
            raise
    drivers = [api["name"] for api in device.query_hostapis()]
    exact = [row for row in found if row["name"].lower() == name.lower()]
    return sorted(exact or found, key=lambda row: _rank(drivers[row["hostapi"]]))


def _rank(driver: str) -> int:
    """Windows' drivers by how soon a sound is heard and how little they ask; any other system's are as they come."""
    order = ("Windows WASAPI", "Windows DirectSound", "MME", "Windows WDM-KS")
    return order.index(driver) if driver in order else 0


def _listening(device: Any, found: Any, heard: Callable[[Loudness, np.ndarray], None]) -> Any:
    """A stream of the device `found`, started. Raises PortAudioError."""
    loudness = Loudness(found["default_samplerate"])
    stream = device.InputStream(
        device=found["index"],
        channels=min(2, found["max_input_channels"]),
        samplerate=found["default_samplerate"],
        blocksize=_BLOCK,
        dtype="float32",
        callback=lambda block, frames, time, status: heard(loudness, block),
    )
    _start(stream)
    return stream


def _start(stream: Any) -> None:
    """Start it, or close it: a stream that is left open keeps its device from everybody."""
    with ExitStack() as undo:
        undo.callback(stream.close)
        stream.start()
        undo.pop_all()


def _open_jack(name: str, heard: Callable[[Loudness, np.ndarray], None]) -> tuple[Stream, str]:
    try:
        import jack
    except ImportError:
        raise AudioUnavailable('JACK needs a library: pip install "clavilux[audio]"') from None
    except OSError:
        raise AudioUnavailable("JACK is not installed on this machine") from None
    try:
        client = jack.Client("clavilux", no_start_server=True)
    except jack.JackOpenError:
        raise AudioUnavailable("no JACK server runs") from None
    loudness = Loudness(client.samplerate)
    try:
        port: Any = client.inports.register("in")
        client.set_process_callback(lambda frames: heard(loudness, port.get_array()))
        client.activate()
    except jack.JackError as e:
        client.close()
        raise AudioUnavailable(f"JACK lets nobody listen ({e})") from None
    try:
        for source in client.get_ports(is_physical=True, is_output=True, is_audio=True)[:2]:
            client.connect(source, port)
    except jack.JackError:
        pass  # patched by hand then
    return client, f"JACK, port {port.name},"
