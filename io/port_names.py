"""Names of MIDI ports: which are wanted, and how two devices of one name are told apart."""

import re
from collections.abc import Container, Iterable, Sequence
from fnmatch import fnmatchcase

from ..engine.core.bindings import port_matches

CLIENT = "Clavilux"
# `*` means every device, not the loopback of the system and not our own ports.
_NO_DEVICES = ("midi through*", "rtmidi*")
# ALSA puts its client's and port's numbers at the end; they change from plug to plug.
_ALSA_NUMBERS = re.compile(r" \d+:\d+$")
# JACK, where every client has a name of its own, calls the second of a name `name-01`.
_JACK_NUMBER = re.compile(r"-\d\d(?=:|$)")
_SOCKET = re.compile(r"(^|\()\d+- ")
# Programs that show ALSA's devices to JACK.
_BRIDGES = ("a2j:", "system:midi_", "midi-bridge:")

Key = tuple[str, int]


def wanted(name: str, globs: Iterable[str]) -> bool:
    """Does a port's name match one of the globs, as `port_matches` has it? `*` means every device. A port of our own,
    which under JACK has the device's name in its own, is meant only by a glob that begins as it does: what we send
    must not come back to us."""
    low = name.lower()
    own = low.startswith(CLIENT.lower())
    for glob in globs:
        if own and not glob.lower().startswith(CLIENT.lower()):
            continue
        if glob == "*":
            if not any(fnmatchcase(low, known) for known in _NO_DEVICES):
                return True
        elif port_matches(name, glob):
            return True
    return False


def is_bridge(name: str) -> bool:
    """Is this JACK port a device of ALSA's, which lists it itself?"""
    return name.lower().startswith(_BRIDGES)


def without_places(found: Sequence[str]) -> list[str]:
    """Port names of Windows without the place in the list that the driver library puts behind each: it changes when
    another device is plugged in, and makes two of a kind look like two kinds. So does the `2- ` that Windows puts
    before a device in another USB socket than its first."""
    return [_SOCKET.sub(r"\1", name.removesuffix(f" {n}")) for n, name in enumerate(found)]


def reshuffled(before: Sequence[str], found: Sequence[str]) -> set[str]:
    """Names that several ports have or had, of which there are more or fewer now: nobody can say which came or went, so
    each is to be opened anew in its place."""
    return {name for name in found if 0 < before.count(name) != found.count(name)}


class Slots:
    """Labels of ports. The second device of a name is `<name> #2`, and stays so while it is plugged in, whichever of
    them is pulled out; a new one takes the lowest number that is free. Where a driver gives both exactly the same name,
    it is their order that tells them apart."""

    def __init__(self) -> None:
        self._slots: dict[Key, int] = {}

    def label(self, found: Sequence[str]) -> dict[str, Key]:
        """{label: (name, which of the ports of exactly that name)} for the ports there are now."""
        here = [(name, found[:i].count(name)) for i, name in enumerate(found)]
        self._slots = {key: slot for key, slot in self._slots.items() if key in here}
        for key in here:
            if key not in self._slots:
                known = {_plain(other) for other in [*here, *self._slots]}
                device = _device(key, known)
                taken = {slot for other, slot in self._slots.items() if _device(other, known) == device}
                self._slots[key] = next(n for n in range(len(here) + 1) if n not in taken)
        return {self._shown(key): key for key in here}

    def _shown(self, key: Key) -> str:
        slot = self._slots[key]
        return key[0] if slot == 0 else f"{key[0]} #{slot + 1}"


def _plain(key: Key) -> str:
    return _ALSA_NUMBERS.sub("", key[0])


def _device(key: Key, known: Container[str]) -> str:
    plain = _plain(key)
    first = _JACK_NUMBER.sub("", plain, count=1)
    return first if first in known else plain
