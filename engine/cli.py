"""The command line: what a performer types. Exit codes: 0 done, 2 a mistake in what was asked, 1 a fault of ours."""

import argparse
import errno
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import flags
from .console import forgive_letters, when_closed
from .leaving import ASK_TO_END, HANGUP

if TYPE_CHECKING:
    from .serving import Serve

COMMANDS = ("run", "check", "params", "ports", "monitor", "learn", "replay", "bench", "doctor", "models", "build")

# These play; whatever else there is writes to the terminal, to a pipe or into a file.
SHOWING = ("run", "replay")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

FOR_LATER_TURNS = (
    "diffusers.models.unets.unet_2d_condition", "diffusers.models.autoencoders.autoencoder_tiny",
    "diffusers.models.controlnets.controlnet",
)  # fmt: skip
"""What loading a model or a ControlNet imports; the first frame of a model out of the cache needs none of it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `clavilux`; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    forgive_letters(sys.stdout)
    try:
        return _asked(words)
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        _write_no_more()
        return 0
    except KeyboardInterrupt:
        # While the libraries are read, or a second time while all is being closed: out, and no traceback.
        return 0
    except _Unwritten as e:
        print(f"the output cannot be written: {e}", file=sys.stderr)
        _write_no_more()
        return 1
    except _mistakes() as e:
        print(e, file=sys.stderr)
        return 2


def _asked(words: list[str]) -> int:
    """Do what the words of the command line ask for; returns the exit code."""
    if words[:1] == ["--version"]:
        return _shown(lambda: print(f"clavilux {version()}"))
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help")):
        _check_is_a_show(words)
        words.insert(0, "run")
    options = parser().parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("clavilux").setLevel(logging.INFO)
    command = _command(options.command)
    return command(options) if options.command in SHOWING else _shown(lambda: command(options))


def _shown(command: Callable[[], int | None]) -> int:
    """The exit code of a small command. Raises _Unwritten where what it prints finds no room."""
    try:
        code = command()
        # Here and not at exit, where a full disk would be a traceback.
        sys.stdout.flush()
    except OSError as e:
        if e.filename is None and e.errno in NO_ROOM:
            raise _Unwritten(e.strerror) from None
        if sys.platform == "win32" and e.filename is None and e.errno == errno.EINVAL:
            # What Windows says of a pipe whose reader has gone.
            raise BrokenPipeError from None
        raise
    return code or 0


class _Unwritten(Exception):
    """What a command prints finds no room where it goes."""


def _write_no_more() -> None:
    """Nothing may be flushed at exit to where nothing can be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_is_a_show(words: Sequence[str]) -> None:
    """The first word may be a show's name, or a command's that is misspelt. Raises Asked for the latter."""
    if not words or words[0].startswith("-") or Path(words[0]).suffix or Path(words[0]).exists():
        return
    from ..configs import shipped
    from .asked import Asked
    from .core.nearest import closest

    shows = shipped()
    if words[0] not in shows and (near := closest(words[0], (*shows, *COMMANDS))) in COMMANDS:
        raise Asked(f"there is no command or show {words[0]}; did you mean clavilux {near}?")


def entry() -> NoReturn:
    """The installed command: `main`, and out at once. Everything is closed by then; taking the model libraries down
    would only keep a performer waiting for another second."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("clavilux")
    except PackageNotFoundError:
        return "0"


def parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    root = argparse.ArgumentParser(prog="clavilux", description="Play a diffusion model live, from OSC and MIDI.")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    _run_options(commands.add_parser("run", help="play a show (this is what clavilux alone does)"))
    check = commands.add_parser("check", help="list every mistake in show and mapping files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--show", metavar="CONFIG", help="whose own effects and knobs the mappings may play")
    params = commands.add_parser("params", help="the parameter table")
    form = params.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    commands.add_parser("ports", help="MIDI ports, cameras and what else this machine has")
    monitor = commands.add_parser("monitor", help="print every incoming message and what it is bound to")
    monitor.add_argument("config", nargs="?", metavar="CONFIG", help="a show file whose rows and values are meant")
    _listening_options(monitor)
    monitor.add_argument("--mapping", action="append", type=flags.said, default=[], metavar="M")
    learn = commands.add_parser("learn", help="move a control, name a parameter: a binding is written")
    learn.add_argument("mapping", metavar="MAPPING", help="your mapping file; a new one is made")
    learn.add_argument("--show", metavar="CONFIG", help="a show whose own effects and knobs may be named")
    learn.add_argument("--to", metavar="NAME", help="what the control plays, and a range if you like; learns only one")
    _listening_options(learn)
    replay = commands.add_parser("replay", help="render a recorded show again, offline")
    replay.add_argument("journal", metavar="JOURNAL")
    replay.add_argument("--sink", action="append", required=True, type=flags.said, metavar="S")
    replay.add_argument("--size", type=flags.size, metavar="WxH")
    pictures = "folder of reference images and the like (the show's own)"
    replay.add_argument("--assets", type=flags.said, metavar="DIR", help=pictures)
    replay.add_argument("--steps", type=flags.whole, metavar="N", help="denoising steps, whatever the show used")
    bench = commands.add_parser("bench", help="how fast this machine plays: a table")
    bench.add_argument("--json", action="store_true")
    bench.add_argument("--model", metavar="M")
    bench.add_argument("--size", type=flags.size, metavar="WxH", help="one size only (256, 384 and 512 square)")
    bench.add_argument("--seconds", type=flags.positive, default=2.0, metavar="T", help="for each line (2)")
    build = commands.add_parser("build", help="make a model's engines before the show, and measure them")
    build.add_argument("model", metavar="MODEL")
    said = "of the show's pictures (what the model is made for, else 512x512)"
    build.add_argument("--size", type=flags.size, metavar="WxH", help=said)
    build.add_argument("--acceleration", choices=("tensorrt", "openvino", "compile", "none"), help="this one only")
    models = commands.add_parser("models", help="models that are here, and others that are known to work")
    models.add_argument("--json", action="store_true")
    doctor = commands.add_parser("doctor", help="what is installed, what works, what to do about the rest")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument("--gpu", action="store_true", help="run everything on the NVIDIA card, for a report to paste")
    return root


def _listening_options(command: argparse.ArgumentParser) -> None:
    # A show calls the same number its port.
    command.add_argument("--osc", "--port", type=flags.port, default=8000, metavar="N", help="UDP port (8000)")
    command.add_argument(
        "--host", default="127.0.0.1", type=flags.said, metavar="H", help="address that OSC listens on (127.0.0.1)"
    )
    command.add_argument("--midi", action="append", type=flags.said, metavar="GLOB", help="MIDI inputs (all)")


def _run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument("config", nargs="?", metavar="CONFIG", help="a show file, or the name of a shipped one (laptop)")
    sources = "demo, test-pattern, PATH, camera[:INDEX], screen, spout|syphon|ndi[:NAME], URL, webrtc, none"
    sinks = "window, PATH.mp4|.mkv|.gif, FOLDER/, spout|syphon|ndi[:NAME], virtual-camera, URL, null"
    run.add_argument("--source", type=flags.said, metavar="S", help=sources)
    run.add_argument("--sink", action="append", type=flags.said, metavar="S", help=sinks)
    run.add_argument(
        "--mapping", action="append", type=flags.said, metavar="M", help="a mapping file, or the name of a shipped one"
    )
    run.add_argument("--model", type=flags.said, metavar="M")
    run.add_argument("--size", type=flags.size, metavar="WxH")
    run.add_argument("--fps", type=flags.positive, metavar="N")
    run.add_argument("--prompt", metavar="TEXT")
    run.add_argument("--seed", type=int, metavar="N")
    length = run.add_mutually_exclusive_group()
    length.add_argument("--frames", type=flags.whole, metavar="N")
    length.add_argument("--seconds", type=flags.positive, metavar="T")
    run.add_argument("--journal", type=flags.said, metavar="FILE", help="record the show as JSON lines")
    run.add_argument("--offline", action="store_true", help="every source frame once, in order, on a manual clock")
    run.add_argument("--host", type=flags.said, metavar="H", help="address that OSC (and HTTP) listen on (127.0.0.1)")
    run.add_argument("--port", type=int, metavar="N", help="port of OSC (UDP) and HTTP (8000)")
    run.add_argument("--midi", action="append", type=flags.said, metavar="GLOB", help="MIDI inputs by name")
    run.add_argument(
        "--audio", type=flags.said, metavar="NAME", help="sound that modulators hear: default, a device's name, jack"
    )
    run.add_argument("--link", action="store_true", help="join the Ableton Link session on the network")
    run.add_argument(
        "--assets", type=flags.said, metavar="DIR", help="folder that names from the network resolve in (./assets)"
    )
    run.add_argument("--no-server", action="store_true", help="no HTTP, no page; OSC and MIDI stay")
    run.add_argument(
        "--allow-origin",
        action="append",
        type=flags.origin,
        metavar="ORIGIN",
        help="let pages of this origin play (https://my.site)",
    )
    run.add_argument(
        "--allow-pickles", action="store_true", help="models may come as .bin or .ckpt, which can carry code"
    )
    opening = run.add_mutually_exclusive_group()
    opening.add_argument("--open", action="store_true", help="open the control page in a browser")
    opening.add_argument("--no-open", action="store_true", help="do not")


def _mistakes() -> tuple[type[BaseException], ...]:
    """What is printed in words and exits with 2: a mistake in what was asked, or a file or device that is not to be
    had while there is no show yet."""
    from ..io import faults
    from ..io.osc import PortUnavailable
    from .asked import Asked
    from .core.documents import Mistakes
    from .core.journal import JournalMistake
    from .core.parameters import Refused
    from .diffusion import ModelMistake

    asked = (Asked, Mistakes, JournalMistake, Refused, PortUnavailable, ModelMistake)
    sources = (faults.SourceMistake, faults.SourceUnavailable, faults.SourceFailed)
    return (*asked, *sources, faults.SinkMistake, faults.SinkUnavailable, faults.SinkFailed)


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    if name in SHOWING:
        return {"run": run, "replay": replay}[name]
    where = {"bench": ".speed", "doctor": ".doctor", "models": ".models", "build": ".building"}.get(name, ".commands")
    return getattr(import_module(where, __package__), name)


def run(options: argparse.Namespace) -> int:
    """`clavilux run`."""
    from .app import Performance
    from .asked import show_from
    from .fine_timer import fine_timer
    from .later import Libraries
    from .leaving import prompt_end
    from .offline import render_offline

    show = show_from(options)
    if options.allow_pickles:
        from .diffusion.weights import Allowed

        Allowed.pickles = True
    stop = stop_on_signals()
    if options.offline:
        render_offline(show, stop, options.frames, options.seconds)
        return 0
    performance = Performance(show, serve=_serve(options))
    with ExitStack() as ending:
        ending.enter_context(fine_timer())
        with prompt_end(performance.close):
            ending.enter_context(performance)
        # What is loaded by now stays until the end. Python would look through all of it now and again for garbage, and
        # the picture would stand meanwhile: a fifth of a second with the model libraries.
        gc.collect()
        gc.freeze()
        performance.loop.between_frames.append(Libraries(*FOR_LATER_TURNS))
        performance.run(stop, options.frames, options.seconds)
    return 0


def _serve(options: argparse.Namespace) -> "Serve | None":
    """What the flags say about the server; the page opens by itself where there is a display to see it on."""
    from .serving import Serve
    from .show_parts import display_fault

    if options.no_server:
        return None
    wanted = options.open or (not options.no_open and display_fault() is None)
    return Serve(tuple(options.allow_origin or ()), wanted)


def replay(options: argparse.Namespace) -> int:
    """`clavilux replay`."""
    from .asked import Asked, assets_folder
    from .replay import replay_journal

    path = Path(options.journal)
    if not path.is_file():
        raise Asked(f"there is no journal {options.journal}")
    assets = assets_folder(options.assets)
    replay_journal(path, options.sink, options.size, options.steps, stop_on_signals(), assets)
    return 0


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C, a polite kill and a terminal that goes away set; a second Ctrl-C ends at once."""
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in ASK_TO_END:
            if number == HANGUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # who was started by `nohup` outlives its terminal
            signal.signal(number, ask)
        when_closed(stop.set)
    return stop
