"""The very beginning of the installed command, where a Ctrl-C meets a Python that still reads its libraries."""

import os
from typing import NoReturn


def entry() -> NoReturn:
    """`cli.entry`; who changes their mind before it is even read is let go without a traceback, as later on."""
    try:
        from .cli import entry as play
    except KeyboardInterrupt:
        os._exit(0)
    play()
