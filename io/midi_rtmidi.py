"""MIDI drivers through python-rtmidi: ALSA and JACK on Linux, CoreMIDI, Windows MM. The one file that touches them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .port_names import CLIENT, is_bridge, without_places

# From this Python on there is no python-rtmidi to install on Windows and macOS, see pyproject.toml.
NOT_MADE_FOR = (3, 13)


def remedy() -> str:
    """How the library is to be had here."""
    if sys.platform != "linux" and sys.version_info >= NOT_MADE_FOR:
        return "on this system it is made for Python up to 3.12: install Clavilux with that"
    return "install it with pip"


class OpenedInput(Protocol):
    """An input port that is open."""

    def close(self) -> None:
        """Close it; no message comes after this returns."""
        ...


class OpenedOutput(Protocol):
    """An output port that is open."""

    def send(self, message: bytes) -> None:
        """Send one message. Raises OSError."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class MidiBackend(Protocol):
    """What `MidiPorts` needs of a driver."""

    def names(self) -> list[str]:
        """Names of the input ports there are now, in the driver's order; the same name twice for two of a kind."""
        ...

    def why_not(self) -> str | None:
        """Why there is no MIDI at all, in words, or None when there is."""
        ...

    def open(self, name: str, nth: int, receive: Callable[[list[int]], None]) -> OpenedInput:
        """Open the `nth` (from 0) port called `name`; `receive` gets messages on the driver's thread.

        Raises OSError."""
        ...

    def outputs(self) -> list[str]:
        """Names of the output ports there are now, as `names` has the inputs."""
        ...

    def open_output(self, name: str, nth: int) -> OpenedOutput:
        """Open the `nth` (from 0) output called `name`. Raises OSError."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...


class RtMidiBackend:
    """All drivers that this machine has, as one. Keeps one client per driver open for looking: making and dropping
    clients at every look loses messages of the ports that are open."""

    def __init__(self) -> None:
        self._lookers: dict[int, Any] = {}
        self._out_lookers: dict[int, Any] = {}
        self._missing: dict[int, str] = {}
        self._tried: dict[int, tuple[str, ...]] = {}
        self._where: dict[tuple[str, int], tuple[int, int]] = {}
        self._where_out: dict[tuple[str, int], tuple[int, int]] = {}
        self._rtmidi: Any = None
        try:
            import rtmidi
        except ImportError as e:
            self._import_error: str | None = str(e)
        else:
            self._rtmidi = rtmidi
            self._import_error = None

    def names(self) -> list[str]:
        if self._rtmidi is None:
            return []
        found: list[str] = []
        self._where.clear()
        for api in self._rtmidi.get_compiled_api():
            within: dict[str, int] = {}
            for name in self._devices(api, self._look(api)):
                self._where[name, found.count(name)] = (api, within.get(name, 0))
                within[name] = within.get(name, 0) + 1
                found.append(name)
        return found

    def why_not(self) -> str | None:
        if self._rtmidi is None:
            return f"the library python-rtmidi does not load ({self._import_error}); {remedy()}"
        self.names()
        return None if self._lookers else "; ".join(self._missing.values()) or "no MIDI driver on this system"

    def open(self, name: str, nth: int, receive: Callable[[list[int]], None]) -> OpenedInput:
        if (name, nth) not in self._where:
            raise OSError(f"{name} is gone")
        api, within = self._where[name, nth]
        try:
            port = self._rtmidi.MidiIn(api, name=CLIENT)
            at = [i for i, known in enumerate(self._plain(api, _names(port))) if known == name]
            if within >= len(at):
                port.delete()
                raise OSError(f"{name} is gone")
            # Clock and song position drive the tempo; sysex and active sensing play nothing.
            port.ignore_types(sysex=True, timing=False, active_sense=True)
            port.set_callback(lambda message, _: receive(message[0]))
            port.open_port(at[within], name=f"from {name}"[:60])
        except self._rtmidi.RtMidiError as e:
            raise OSError(str(e)) from None
        return _RtMidiInput(port)

    def outputs(self) -> list[str]:
        found: list[str] = []
        self._where_out.clear()
        for api in self._lookers:
            within: dict[str, int] = {}
            for name in self._devices(api, self._look_out(api)):
                self._where_out[name, found.count(name)] = (api, within.get(name, 0))
                within[name] = within.get(name, 0) + 1
                found.append(name)
        return found

    def open_output(self, name: str, nth: int) -> OpenedOutput:
        if (name, nth) not in self._where_out:
            raise OSError(f"{name} is gone")
        api, within = self._where_out[name, nth]
        try:
            port = self._rtmidi.MidiOut(api, name=CLIENT)
            at = [i for i, known in enumerate(self._plain(api, _names(port))) if known == name]
            if within >= len(at):
                port.delete()
                raise OSError(f"{name} is gone")
            port.open_port(at[within], name=f"to {name}"[:60])
        except self._rtmidi.RtMidiError as e:
            raise OSError(str(e)) from None
        return _RtMidiOutput(port, self._rtmidi.RtMidiError)

    def close(self) -> None:
        for lookers in (self._lookers, self._out_lookers):
            for looker in lookers.values():
                looker.delete()
            lookers.clear()

    def _plain(self, api: int, found: list[str]) -> list[str]:
        return without_places(found) if api == self._rtmidi.API_WINDOWS_MM else found

    def _devices(self, api: int, found: list[str]) -> list[str]:
        """The ports that are devices of their own."""
        if api == self._rtmidi.API_UNIX_JACK and self._rtmidi.API_LINUX_ALSA in self._lookers:
            # ALSA lists them: a device that is heard twice turns every switch over and back.
            return [name for name in found if name and not is_bridge(name)]
        return [name for name in self._plain(api, found) if name]

    def _look_out(self, api: int) -> list[str]:
        try:
            if api not in self._out_lookers:
                self._out_lookers[api] = self._rtmidi.MidiOut(api, name=CLIENT)
            return _names(self._out_lookers[api])
        except self._rtmidi.RtMidiError:
            return []

    def _look(self, api: int) -> list[str]:
        if api in self._lookers and self._signs(api) != self._tried[api]:
            # The server is gone, or another one has come: a JACK client never notices, and a new one made beside a
            # dead one crashes. Nothing is listed now, so that the caller closes its ports; the next look starts anew.
            self._lookers.pop(api).delete()
            if api in self._out_lookers:
                self._out_lookers.pop(api).delete()
            self._tried.pop(api)
            self._missing[api] = self._absent(api)
            return []
        looker = self._lookers.get(api) or self._make(api)
        if looker is None:
            return []
        try:
            return _names(looker)
        except self._rtmidi.RtMidiError:
            return []

    def _make(self, api: int) -> Any:
        signs = self._signs(api)
        if not signs or self._tried.get(api) == signs:
            # The drivers write to the terminal each time they fail: no second try while nothing has changed.
            if not signs:
                self._missing[api] = self._absent(api)
                self._tried.pop(api, None)
            return None
        self._tried[api] = signs
        try:
            looker = self._rtmidi.MidiIn(api, name=CLIENT)
        except self._rtmidi.RtMidiError as e:
            self._missing[api] = f"{self._absent(api)} ({e})"
            return None
        self._missing.pop(api, None)
        self._lookers[api] = looker
        return looker

    def _signs(self, api: int) -> tuple[str, ...]:
        """What shows that a driver may be there; empty when it cannot be."""
        if sys.platform == "linux" and api == self._rtmidi.API_LINUX_ALSA:
            return ("alsa",) if Path("/dev/snd/seq").exists() else ()
        if sys.platform == "linux" and api == self._rtmidi.API_UNIX_JACK:
            # The server's socket; that of a new server has another time.
            server = os.environ.get("JACK_DEFAULT_SERVER", "default")
            try:
                sockets = sorted(Path("/dev/shm").glob(f"jack_{server}_*_0"))
                return tuple(f"{p}:{p.lstat().st_mtime_ns}" for p in sockets if p.is_socket())
            except OSError:
                # It went away while being looked at.
                return ()
        return ("driver",)

    def _absent(self, api: int) -> str:
        if api == self._rtmidi.API_LINUX_ALSA:
            return "ALSA's sequencer is not there (/dev/snd/seq; `modprobe snd-seq` loads it)"
        if api == self._rtmidi.API_UNIX_JACK:
            return "no JACK server is running"
        return f"{self._rtmidi.get_api_display_name(api)} does not start"


def _names(port: Any) -> list[str]:
    """Every port in its place; "" for one that goes away while it is asked for its name. Drivers say them in UTF-8,
    which python-rtmidi by itself reads by older alphabets on Windows and macOS."""
    return [(raw or b"").decode("utf-8", "replace") for raw in port.get_ports(encoding=None)]


class _RtMidiInput:
    def __init__(self, port: Any) -> None:
        self._port = port

    def close(self) -> None:
        self._port.cancel_callback()
        self._port.close_port()
        self._port.delete()


class _RtMidiOutput:
    def __init__(self, port: Any, error: type[Exception]) -> None:
        self._port = port
        self._error = error

    def send(self, message: bytes) -> None:
        try:
            self._port.send_message(list(message))
        except (self._error, ValueError) as e:
            raise OSError(str(e)) from None

    def close(self) -> None:
        self._port.close_port()
        self._port.delete()
