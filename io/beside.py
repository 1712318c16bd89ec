"""How programs beside the show are started, so that the show's terminal is the show's alone."""

import subprocess

# On Windows a program of a console's own gets its Ctrl-C, ends with its window, and opens one where there is none.
NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
