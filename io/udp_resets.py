"""On Windows, what was sent to a program that is gone makes a later read of the same socket fail. Not here."""

import ctypes
import socket

from ..engine.core.windows import windows

# SIO_UDP_CONNRESET; Python's own `socket.ioctl` knows other codes only.
_CONNRESET = 0x9800000C


def ignore_resets(opened: socket.socket) -> bool:
    """Let reads of a UDP socket know nothing of what its sends came to; False where there is nothing to switch off."""
    libraries = windows()
    if libraries is None:
        return False
    off, size = ctypes.c_ulong(0), ctypes.c_ulong(0)
    to, code = ctypes.c_void_p(opened.fileno()), ctypes.c_ulong(_CONNRESET)
    asked = (ctypes.byref(off), ctypes.sizeof(off), None, 0, ctypes.byref(size), None, None)
    return libraries.ws2_32.WSAIoctl(to, code, *asked) == 0
