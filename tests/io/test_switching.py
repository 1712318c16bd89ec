"""What a message calls an output, and how an output is asked for again."""

from clavilux.engine.core.switches import FILE, SinkSwitch
from clavilux.io.switching import sink_spec, sink_wish


def test_a_folder_is_one_in_the_writing_of_either_kind_of_system(tmp_path):
    for end in "/", "\\":
        spec = sink_spec(SinkSwitch(FILE, True, f"takes{end}"), tmp_path)
        assert spec.endswith("/")
        assert sink_wish(f"{tmp_path}/takes{end}", tmp_path)["name"].endswith("/")
    assert sink_wish(sink_spec(SinkSwitch(FILE, True, "takes/"), tmp_path), tmp_path) == {
        "enabled": True, "name": "takes/",
    }  # fmt: skip
    assert not sink_spec(SinkSwitch(FILE, True, "take.mp4"), tmp_path).endswith("/")
