"""Names of files: inside the assets folder from a network, anywhere from a program on this machine."""

from pathlib import Path

import pytest
from clavilux.engine import show_parts, wrapper
from clavilux.engine.core.assets import ANYWHERE, asset, asset_or_folder
from clavilux.engine.core.parameters import Refused


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
