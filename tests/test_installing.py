"""What an installation asks for on each system, and what is said where that has no package."""

import sys
import tomllib
from pathlib import Path

import pytest
import torch
from clavilux.engine import doctor
from clavilux.io import midi_rtmidi, spout
from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked(platform: str, python: str) -> set[str]:
    machine = {"win32": "AMD64", "darwin": "arm64", "linux": "x86_64"}[platform]
    there = {"sys_platform": platform, "python_version": python, "platform_machine": machine}
    rows = map(Requirement, PROJECT["dependencies"])
    return {row.name for row in rows if row.marker is None or row.marker.evaluate(there)}


@pytest.mark.parametrize(
    ("platform", "python", "midi", "pictures"),
    [
        ("win32", "3.11", True, {"SpoutGL"}),
        ("win32", "3.13", False, {"SpoutGL"}),
        ("win32", "3.14", False, set()),
        ("darwin", "3.12", True, {"syphon-python"}),
        ("darwin", "3.13", False, {"syphon-python"}),
        ("linux", "3.14", True, set()),
    ],
)
def test_pip_is_asked_for_nothing_that_it_would_have_to_compile(platform, python, midi, pictures):
    found = asked(platform, python)
    assert ("python-rtmidi" in found) is midi
    assert found & {"SpoutGL", "syphon-python"} == pictures


def test_where_there_is_no_such_package_the_python_that_has_it_is_named(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    for name, module in (("rtmidi", midi_rtmidi), ("SpoutGL", spout)):
        monkeypatch.setitem(sys.modules, name, None)
        for least, words in (((3, 11), "made for Python up to"), ((99,), "pip")):
            monkeypatch.setattr(module, "NOT_MADE_FOR", least)
            said = midi_rtmidi.RtMidiBackend().why_not() if name == "rtmidi" else spout.fault()
            assert words in said


def test_the_doctor_knows_it_too_and_that_torch_has_no_cuda_there(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(midi_rtmidi, "NOT_MADE_FOR", (3, 11))
    monkeypatch.setattr(doctor, "_version", lambda distribution: None)
    found = {f.name: f for f in doctor.packages()}
    assert "Python up to 3.12" in found["python-rtmidi"].remedy
    assert found["av"].remedy == "pip install av"
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cuda = next(f for f in doctor.accelerators() if f.name == "CUDA")
    assert "pytorch.org/get-started" in cuda.remedy
