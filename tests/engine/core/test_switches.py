"""The messages that change sources and sinks: what they mean, and what is said to one that means nothing."""

import pytest
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.switches import SinkSwitch, SourceSwitch, SwitchRefused, read_switch
from clavilux.engine.core.table import TABLE


@pytest.mark.parametrize(
    ("parameter", "value", "means"),
    [
        ("spout_sender", {"enabled": True, "name": "ScopeOutput"}, (SinkSwitch("spout", True, "ScopeOutput"),)),
        ("spout_sender", {"enabled": False}, (SinkSwitch("spout", False),)),
        ("spout_receiver", {"enabled": True, "name": "ExternalApp"}, SourceSwitch(True, "spout", "ExternalApp")),
        ("spout_receiver", {"enabled": True}, SourceSwitch(True, "spout")),
        (
            "input_source",
            {"enabled": True, "source_type": "ndi", "source_name": "Stage"},
            SourceSwitch(True, "ndi", "Stage"),
        ),
        ("input_source", {"enabled": True, "source_type": "test_pattern"}, SourceSwitch(True, "test-pattern")),
        (
            "input_source",
            {"enabled": 1, "source_type": "camera", "source_name": 2},
            SourceSwitch(True, "camera", "2"),
        ),
        (
            "input_source",
            {"enabled": True, "source_type": "video_file", "source_name": "a.mp4"},
            SourceSwitch(True, "file", "a.mp4"),
        ),
        ("input_source", {"enabled": False}, SourceSwitch(False)),
        (
            "output_sinks",
            {"ndi": {"enabled": True, "name": "Out"}, "spout": {"enabled": False}},
            (SinkSwitch("ndi", True, "Out"), SinkSwitch("spout", False)),
        ),
        ("output_sinks", {"window": True}, (SinkSwitch("window", True),)),
    ],
)
def test_a_message_means(parameter, value, means):
    assert read_switch(parameter, value) == means
    assert TABLE[parameter].coerce(value).value == value


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("spout_sender", [1], "takes an object"),
        ("spout_sender", {"enabled": "perhaps"}, "enabled is true or false"),
        ("spout_sender", {"enable": True}, "has no 'enable'; it is {enabled, name}"),
        ("spout_sender", {"enabled": True, "name": [3]}, "name is a text"),
        ("input_source", {"enabled": True, "source_type": "cmera"}, "did you mean camera?"),
        ("input_source", {"enabled": True, "source_type": "zzz"}, "there are demo, test-pattern"),
        ("output_sinks", {}, "names no sink"),
        ("output_sinks", {"ndi": 7}, "ndi: takes {enabled, name}"),
        ("output_sinks", {"windw": {"enabled": True}}, "did you mean window?"),
    ],
)
def test_a_message_that_means_nothing_is_refused_in_words(parameter, value, words):
    with pytest.raises(SwitchRefused) as e:
        read_switch(parameter, value)
    assert words in str(e.value)
    with pytest.raises(Refused, match=parameter):
        TABLE[parameter].coerce(value)
