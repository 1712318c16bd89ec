"""What `clavilux ports` says of pictures: every kind, with names that can be typed, or the reason there is none."""

import sys

from clavilux.io import listing, ndi, spout
from clavilux.io.listing import Kind, kinds


def test_every_kind_has_names_or_a_reason(monkeypatch):
    monkeypatch.setattr(listing, "_LISTEN", 0.0)
    monkeypatch.delenv("DISPLAY", raising=False)
    found = {kind.label: kind for kind in kinds()}
    assert list(found) == ["Cameras", "Screen", "Spout", "Syphon", "NDI", "SRT", "Virtual camera", "Sound"]
    assert all(kind.names or kind.why for kind in found.values())
    if sys.platform.startswith("linux"):
        assert found["Spout"] == Kind("Spout", (), "Spout exists only on Windows")
        assert found["Syphon"] == Kind("Syphon", (), "Syphon exists only on macOS")


def test_names_are_as_they_are_typed(monkeypatch):
    monkeypatch.setattr(ndi, "fault", lambda: None)
    monkeypatch.setattr(ndi, "names", lambda wait: ["HALL (Stage)"])
    monkeypatch.setattr(spout, "fault", lambda: None)
    monkeypatch.setattr(spout, "names", lambda: ["Arena", "TDSyphonSpoutOut"])
    found = {kind.label: kind.names for kind in kinds()}
    assert found["NDI"] == ("ndi:HALL (Stage)",)
    assert found["Spout"] == ("spout:Arena", "spout:TDSyphonSpoutOut")


def test_a_library_that_breaks_hides_nothing_else(monkeypatch):
    def broken():
        raise RuntimeError("driver")

    monkeypatch.setattr(spout, "fault", lambda: None)
    monkeypatch.setattr(spout, "names", broken)
    monkeypatch.setattr(listing, "_LISTEN", 0.0)
    found = {kind.label: kind for kind in kinds()}
    assert found["Spout"].why == "it cannot be asked: RuntimeError: driver"
    assert "SRT" in found
