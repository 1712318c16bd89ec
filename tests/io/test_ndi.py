"""Which NDI sender a name means."""

from clavilux.io import ndi

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
