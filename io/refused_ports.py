"""Why a system keeps a port from a program, in words that help on that system."""

import sys


def not_allowed(protocol: str) -> str:
    """The end of a message about a port of `protocol`, udp or tcp, that the system answers with EACCES."""
    if sys.platform == "win32":
        # No port needs rights there: Hyper-V, WSL and Docker take whole ranges at every start, or another program
        # has the port for itself.
        return (
            "is kept from programs by Windows, for Hyper-V, WSL or Docker perhaps (netsh int ipv4 show "
            f"excludedportrange {protocol} lists what is), or another program has it for itself: choose another port "
            "with --port"
        )
    return "needs the administrator's rights: choose one above 1023 with --port"
