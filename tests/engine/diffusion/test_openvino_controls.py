"""ControlNets under OpenVINO over a long night: what nothing uses any more is let go of."""

import gc
import weakref
from types import SimpleNamespace

import pytest
from clavilux.engine.diffusion import openvino_extended as module
from clavilux.engine.diffusion.openvino_extended import KEPT, Workshop

CONFIG = '{"flip_sin_to_cos": true, "freq_shift": 0, "block_out_channels": [8]}'


class Compiled:
    """A compiled network: memory."""


@pytest.fixture
def workshop(monkeypatch, tmp_path):
    """A workshop whose builds are counted, and the folders of ControlNets a to f."""
    builds: list[weakref.ref] = []

    def compiles(self, name, make, halves):
        made = Compiled()
        builds.append(weakref.ref(made))
        return made

    monkeypatch.setattr(Workshop, "_compile", compiles)
    monkeypatch.setattr(module, "Request", lambda compiled: None)
    monkeypatch.setattr(module, "key_of", lambda recipe: "here")
    monkeypatch.setattr(module, "weights_are_half", lambda recipe: False)
    folders = [tmp_path / name for name in (*"abcdef", "unet")]
    for folder in folders:
        folder.mkdir()
        (folder / "config.json").write_text(CONFIG.replace("8", str(8 + 2 * folders.index(folder))))
    return Workshop(None, SimpleNamespace(folder=tmp_path), None), builds, folders[:-1]  # type: ignore[arg-type]


def alive(builds) -> int:
    gc.collect()
    return sum(build() is not None for build in builds)


def test_what_nothing_uses_any_more_goes_but_for_the_newest(workshop):
    bench, builds, folders = workshop
    for folder in folders:
        bench.control(folder)
    assert (len(builds), alive(builds)) == (len(folders), KEPT)
    bench.control(folders[-1])
    bench.control(folders[-2])
    assert len(builds) == len(folders)  # back and forth between two builds nothing


def test_what_is_in_use_stays_and_is_not_built_again(workshop):
    bench, builds, folders = workshop
    used = bench.control(folders[0])
    for folder in folders[1:]:
        bench.control(folder)
    again = bench.control(folders[0])
    assert again is not used  # each has a request of its own
    assert len(builds) == len(folders)
    assert builds[0]() is not None
    del used, again
    for folder in folders[1:]:
        bench.control(folder)
    assert alive(builds) == KEPT


def test_unets_stay(workshop):
    bench, builds, folders = workshop
    for _ in range(3):
        bench.extended(frozenset({"control"}))
        gc.collect()
    for folder in folders:
        bench.control(folder)
    assert len(builds) == 1 + len(folders)
    assert builds[0]() is not None
