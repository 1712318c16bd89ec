"""Which NDI sender a name means, and what its frames look like here."""

from types import SimpleNamespace

import numpy as np
from clavilux.io import ndi
from clavilux.io.ndi_source import _RGBA, _pixels

HEARD = ["MAC (Resolume)", "PC (resolume)", "PC (Clavilux)"]


def test_a_sender_is_meant_by_its_whole_name_its_own_name_or_in_any_case():
    assert ndi.choose("PC (resolume)", HEARD) == "PC (resolume)"
    assert ndi.choose("resolume", HEARD) == "PC (resolume)"
    assert ndi.choose("RESOLUME", HEARD) == "MAC (Resolume)"
    assert ndi.choose("Stage", HEARD) is None
    assert ndi.choose("", []) is None


def test_any_sender_is_never_our_own(monkeypatch):
    monkeypatch.setattr(ndi, "own_names", {"Resolume", "resolume"})
    assert ndi.choose("", HEARD) == "PC (Clavilux)"
    monkeypatch.setattr(ndi, "own_names", {"Clavilux"})
    assert ndi.choose("", ["PC (Clavilux)"]) is None


def test_a_frame_with_padded_rows_is_over_black_where_it_has_alpha():
    rows = np.zeros((256, 4 * 300), np.uint8)
    picture = rows[:, : 4 * 256].reshape(256, 256, 4)
    # Every level under every alpha.
    picture[..., 0], picture[..., 3] = np.arange(256)[:, None], np.arange(256)[None]
    frame = SimpleNamespace(
        xres=256, yres=256, get_line_stride=lambda: 1200, get_array=lambda: rows.reshape(-1), get_fourcc=lambda: _RGBA
    )
    product = np.arange(256)[:, None] * np.arange(256)[None]
    assert np.array_equal(_pixels(frame)[..., 0], np.floor(product / 255 + 0.5))
    picture[..., 3] = 255
    got = _pixels(frame)
    assert np.array_equal(got, picture[..., :3])
    assert not np.shares_memory(got, rows)
