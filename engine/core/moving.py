"""A finished file or folder takes its place, also where another program looks at it just then."""

import sys
import threading
from pathlib import Path

# On Windows nothing can be moved, nor replaced, that is open somewhere: virus scanners and indexers open what has just
# been written, editors and watchers what is about to be replaced, and let go of it within moments.
_TRIES, _PAUSE = 20, 0.025


def move(fresh: Path, place: Path) -> None:
    """`fresh` becomes `place`, in one step; a file that was there goes. Raises OSError, on Windows after half a second
    of being held off."""
    for _ in range(_TRIES - 1 if sys.platform == "win32" else 0):
        try:
            fresh.replace(place)
            return
        except PermissionError:
            threading.Event().wait(_PAUSE)
    fresh.replace(place)
