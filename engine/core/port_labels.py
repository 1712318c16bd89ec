"""Labels of MIDI ports: what in them is the device, and what is the driver's."""

import re

# ALSA's client and port numbers, the number that Windows adds, and which of several of a name it is.
_END = re.compile(r"( \d+:\d+| \d+)?( #\d+)?$")


def device_of(label: str) -> str:
    """What the ports of one device have in common: the client's name, and which of several of that name it is."""
    return _client(label).lower() + _nth(label)


def device_glob(label: str) -> str:
    """The glob of a mapping's row that means this device wherever it is plugged in."""
    client = re.sub(r"([*?\[])", "?", _client(label))
    return f"{client}*{_nth(label)}"


def _client(label: str) -> str:
    return _END.sub("", label).partition(":")[0]


def _nth(label: str) -> str:
    found = _END.search(label)
    return (found[2] or "") if found else ""
