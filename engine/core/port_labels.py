"""Labels of MIDI ports: what in them is the device, and what is the driver's."""

import re
from collections.abc import Iterable

# ALSA's client and port numbers, the number that Windows adds, and which of several of a name it is.
_END = re.compile(r"( \d+:\d+| \d+)?( #\d+)?$")
_JACK_NUMBER = re.compile(r"-\d\d$")
# Ports of ALSA's devices as JACK has them: the device's name stands behind that of the program between them.
_BRIDGED = re.compile(r"(?:a2j|Midi-Bridge):(.+?)(?: \[\d+\])? \((?:capture|playback)\)", re.IGNORECASE)


def device_of(label: str) -> str:
    """What the ports of one device have in common: the client's name, and which of several of that name it is."""
    return _client(label).lower() + _nth(label)


def device_glob(label: str, among: Iterable[str] = ()) -> str:
    """The glob of a mapping's row that means this device wherever it is plugged in; where another of its kind is
    `among` the ports that are there, this one alone."""
    client, nth = _client(label), _nth(label)
    if nth:
        # A second one under JACK has a number in its name, which is another one when it is plugged in first.
        client = _JACK_NUMBER.sub("", client)
    elif any(_nth(other) and _JACK_NUMBER.sub("", _client(other)) == client for other in among):
        nth = " #1"
    lead = "*" if _BRIDGED.match(label) else ""
    return f"{lead}{re.sub(r'([*?[])', '?', client)}*{nth}"


def _client(label: str) -> str:
    plain = _END.sub("", label)
    bridged = _BRIDGED.match(plain)
    return bridged[1] if bridged else plain.partition(":")[0]


def _nth(label: str) -> str:
    found = _END.search(label)
    return (found[2] or "") if found else ""
