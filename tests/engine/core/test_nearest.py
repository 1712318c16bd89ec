"""The nearest name: slips are recognised, and nothing far-fetched is offered."""

import pytest
from clavilux.engine.core.kinds import SINKS, SOURCES
from clavilux.engine.core.nearest import closest, closest_file
from clavilux.engine.core.table import TABLE


@pytest.mark.parametrize(
    ("said", "known", "meant"),
    [
        ("dmeo", SOURCES, "demo"),
        ("windw", SINKS, "window"),
        ("noise_scal", TABLE, "noise_scale"),
        ("guidance", TABLE, "guidance_scale"),
        ("noise", ("noise_scale", "delta"), "noise_scale"),
        ("CLAM", ("Calm", "loud"), "Calm"),
        ("sinus", ("sine", "saw"), "sine"),
        ("nope.mp4", SOURCES, None),
        ("newdir", SINKS, None),
        ("width", ("wet", "delta"), None),
        ("width", TABLE, None),
    ],
)
def test_a_slip_is_recognised_and_nothing_far_fetched_is_offered(said, known, meant):
    assert closest(said, known) == meant


def test_files_are_alike_by_their_names_and_not_by_how_they_end():
    assert closest_file("missing.yaml", ["anchors.yaml", "swing.yaml"]) is None
    assert closest_file("my-sett.yaml", ["my-set.json", "my-set.yaml"]) == "my-set.yaml"
    assert closest_file("clib.mp4", ["clip.mov"]) == "clip.mov"
