"""What can go wrong at a source or a sink, in three kinds; every message is written for a performer."""

# What anybody has, for the end of a message about what this machine lacks.
INSTEAD_OF_SOURCE = "Use a video file, a folder of pictures, camera, or demo."
INSTEAD_OF_SINK = "Use window, a file such as show.mp4, or a folder such as frames/."


class SourceMistake(ValueError):
    """What was asked for cannot be meant: a misspelt name, a file that is not there."""


class SourceUnavailable(RuntimeError):
    """Right to ask for, but not on this platform, not without a package, or not built yet."""


class SourceFailed(RuntimeError):
    """It was there, or should have been, and gives no picture now; trying again may help."""


class SinkMistake(ValueError):
    """What was asked for cannot be meant: a misspelt name, a kind of file that is not written here."""


class SinkUnavailable(RuntimeError):
    """Right to ask for, but not on this platform, not without a package or display, or not built yet."""


class SinkFailed(RuntimeError):
    """It takes no picture now: disk full, folder locked; trying again may help."""


class SinkClosed(Exception):
    """The performer closed it on purpose; nothing is wrong and it stays closed."""


def reason(e: BaseException) -> str:
    """The plain cause in an exception of a library: the system's own words where it has some."""
    if type(e).__name__ == "ExitError":
        # PyAV's name for a time limit that is over.
        return "it does not answer"
    words = getattr(e, "strerror", None) or str(e) or type(e).__name__
    return str(words).strip().rstrip(".")
