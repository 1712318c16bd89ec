"""Names of files: inside the assets folder from a network, anywhere from a program on this machine."""

import sys
from pathlib import Path, PureWindowsPath

import pytest
from clavilux.engine import show_parts, wrapper
from clavilux.engine.core.assets import ANYWHERE, asset, asset_or_folder, on_another_machine
from clavilux.engine.core.parameters import Refused
from clavilux.io.faults import SourceMistake
from clavilux.io.switching import in_assets


@pytest.fixture
def drives(tmp_path):
    """Two folders of which neither is in the other, as drives are on Windows."""
    for name in ("c", "d"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "look.png").touch()
    return tmp_path / "c", tmp_path / "d"


def test_what_a_network_names_stays_in_the_folder(drives):
    here, other = drives
    assert asset(here, "look.png") == here / "look.png"
    with pytest.raises(Refused, match="only files in the assets folder"):
        asset(here, str(other / "look.png"))
    with pytest.raises(Refused, match=r"gone\.png: there is no such file in the assets folder"):
        asset(here, "gone.png")


def test_what_a_program_of_this_machine_names_lies_on_any_drive(drives, monkeypatch):
    monkeypatch.chdir(drives[0])
    for name in (str(drives[1] / "look.png"), "look.png"):
        assert asset(Path(ANYWHERE), name) == Path(name).resolve()
    assert asset_or_folder(Path(ANYWHERE), str(drives[1])) == drives[1]
    with pytest.raises(Refused, match=r"gone\.png: there is no such file$"):
        asset(Path(ANYWHERE), "gone.png")


def test_the_wrapper_is_such_a_program(monkeypatch):
    class Asked(Exception):
        pass

    def parts(show, *_):
        raise Asked(show.assets)

    monkeypatch.setattr(show_parts, "Parts", parts)
    with pytest.raises(Asked, match="anywhere"):
        wrapper.create_wrapper_from_config({"model_id": "embedded"})


@pytest.mark.parametrize(
    "name", [r"\\evil\share\look.png", "//evil/share/look.png", r"\/evil/share", r"\\?\UNC\evil\a"]
)
def test_windows_never_looks_for_a_share_that_a_network_names(drives, monkeypatch, name):
    """To look for it would hand that machine what it needs to find out the user's password."""
    looked, resolve = [], Path.resolve

    def noted(path, *more, **options):
        looked.append(str(path))
        return resolve(path, *more, **options)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(Path, "resolve", noted)
    with pytest.raises(Refused, match="only files in the assets folder"):
        asset(drives[0], name)
    with pytest.raises(SourceMistake, match="is not in the assets folder"):
        in_assets(name, drives[0])
    assert not any("evil" in path for path in looked)


def test_an_assets_folder_on_a_share_has_files_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    share = PureWindowsPath(r"\\nas\stage\assets")
    assert not on_another_machine(share, str(share / "look.png"))
    assert on_another_machine(PureWindowsPath(r"C:\assets"), str(share / "look.png"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert not on_another_machine(Path("/assets"), "//look.png")
