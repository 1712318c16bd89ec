"""OSCQuery: the tree, its attributes, and one program's conversation."""

import json

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.table import TABLE, lora_scale
from clavilux.io.osc_packet import Bundle, Message, encode, parse
from clavilux.io.oscquery import Conversation, OscQuery


class Show:
    def __init__(self) -> None:
        self.values = {p.name: p.default for p in TABLE.values() if p.alias_of is None}
        self.values |= {"noise_scale": 0.6, "prompts": (("fire", 0.75), ("ice", 0.25)), "t_index_list": (0, 16)}
        self.rows = [
            Binding(Control("osc", address="/composition/layers/1/video/opacity"), to="noise_scale"),
            Binding(Control("osc", address="/columns/*/connect"), do="panic"),
            Binding(Control("cc", 1), to="delta"),
        ]
        self.query = OscQuery(lambda: self.values, lambda: self.rows, osc_port=8123)
        self.played: list[tuple] = []
        self.talk = Conversation(self.query, lambda address, args: self.played.append((address, *args)))


def value_messages(told) -> list[tuple]:
    return [(m.address, *m.args) for m in map(parse, (t for t in told if isinstance(t, bytes)))]


def test_host_info_says_where_osc_goes_and_what_is_understood():
    status, info = Show().query.answer("/", "HOST_INFO")
    assert status == 200
    assert (info["OSC_PORT"], info["OSC_TRANSPORT"], info["NAME"]) == (8123, "UDP", "Clavilux")
    assert info["EXTENSIONS"]["LISTEN"] is info["EXTENSIONS"]["PATH_CHANGED"] is True


def test_every_parameter_and_action_is_in_the_tree():
    status, tree = Show().query.answer("/")
    assert status == 200
    assert json.loads(json.dumps(tree)) == tree
    below = tree["CONTENTS"]["clavilux"]["CONTENTS"]
    assert set(TABLE) | set(TABLE.actions) | {"subscribe", "unsubscribe", "get"} <= set(below)
    assert set(below["status"]["CONTENTS"]) == {"fps", "frame", "latency_ms", "state", "error"}
    assert all(node["ACCESS"] == 1 for node in below["status"]["CONTENTS"].values())
    for name, node in below.items():
        if name in ("n", "status"):
            continue
        assert node["FULL_PATH"] == f"/clavilux/{name}"
        assert node["DESCRIPTION"]
        assert len(node["TYPE"]) == len(node.get("VALUE", node["TYPE"]))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/clavilux/noise_scale", {"TYPE": "f", "ACCESS": 3, "VALUE": [0.6], "RANGE": [{"MIN": 0.0, "MAX": 1.0}]}),
        ("/clavilux/paused", {"TYPE": "F", "VALUE": [False]}),
        ("/clavilux/n/paused", {"TYPE": "f", "VALUE": [0.0], "RANGE": [{"MIN": 0, "MAX": 1}]}),
        ("/clavilux/n/input_mode", {"TYPE": "f", "VALUE": [0.0]}),
        ("/clavilux/prompts", {"TYPE": "sfsf", "VALUE": ["fire", 0.75, "ice", 0.25]}),
        ("/clavilux/prompt", {"TYPE": "s", "VALUE": ["fire"]}),
        ("/clavilux/t_index_list", {"TYPE": "ii", "VALUE": [0, 16]}),
        ("/clavilux/seed", {"TYPE": "h", "VALUE": [2]}),
        ("/clavilux/input_mode", {"TYPE": "s", "RANGE": [{"VALS": ["video", "text"]}]}),
        ("/clavilux/tempo", {"UNIT": ["BPM"]}),
        ("/clavilux/n/tempo", {"TYPE": "f", "VALUE": [100 / 280], "RANGE": [{"MIN": 0, "MAX": 1}]}),
        ("/clavilux/panic", {"TYPE": "I", "ACCESS": 2}),
        ("/composition/layers/1/video/opacity", {"TYPE": "f", "ACCESS": 2, "DESCRIPTION": "plays noise_scale"}),
    ],
)
def test_nodes(path, wanted):
    status, node = Show().query.answer(path)
    assert status == 200
    assert {key: node[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/nowhere", "", 404),
        ("/clavilux/noise_scale/deeper", "", 404),
        ("/clavilux/noise_scale", "VALUE", 200),
        ("/clavilux/noise_scale", "UNIT", 204),
        ("/clavilux", "VALUE", 204),
        ("/clavilux/noise_scale", "COLOUR", 400),
        ("/clavilux/noise%5fscale", "VALUE", 200),
        ("/columns/*/connect", "", 404),
    ],
)
def test_attributes_and_what_is_not_there(path, query, status):
    found, node = Show().query.answer(path, query)
    assert found == status
    assert node is None or set(node) == {query}


def test_listen_tells_the_value_then_each_change_and_ignore_ends_it():
    show = Show()
    assert value_messages(show.talk.text('{"COMMAND":"LISTEN","DATA":"/clavilux/noise_scale"}')) == [
        ("/clavilux/noise_scale", pytest.approx(0.6))
    ]
    assert show.talk.news() == []
    show.values["noise_scale"] = 0.25
    show.values["delta"] = 0.5
    assert value_messages(show.talk.news()) == [("/clavilux/noise_scale", 0.25)]
    show.talk.text('{"COMMAND":"IGNORE","DATA":"/clavilux/noise_scale"}')
    show.values["noise_scale"] = 0.5
    assert show.talk.news() == []


def test_who_sets_a_value_over_the_socket_is_not_told_it():
    show = Show()
    show.talk.text('{"COMMAND":"LISTEN","DATA":"/clavilux/noise_scale"}')
    show.talk.binary(encode(Bundle(1, (Message("/clavilux/noise_scale", (0.1,)), Message("/clavilux/tap")))))
    assert show.played == [("/clavilux/noise_scale", pytest.approx(0.1)), ("/clavilux/tap",)]
    show.values["noise_scale"] = 0.1
    assert show.talk.news() == []


def moved(value: float) -> bytes:
    return encode(Message("/clavilux/noise_scale", (value,)))


def test_who_sets_a_value_is_not_pulled_back_before_it_is_played():
    show = Show()
    show.talk.text('{"COMMAND":"LISTEN","DATA":"/clavilux/noise_scale"}')
    for value in (0.7, 0.8):
        show.talk.binary(moved(value))
        assert show.talk.news() == []
    show.values["noise_scale"] = 0.8
    assert show.talk.news() == []
    show.values["noise_scale"] = 0.6  # another hand
    assert value_messages(show.talk.news()) == [("/clavilux/noise_scale", pytest.approx(0.6))]


def test_where_messages_are_counted_a_slider_hears_nothing_until_its_last_one_is_played():
    show = Show()
    played = 0
    show.query.played = lambda: played
    talk = Conversation(show.query, lambda address, args: show.played.append(args) or len(show.played))
    talk.text('{"COMMAND":"LISTEN","DATA":"/clavilux/noise_scale"}')
    talk.text('{"COMMAND":"LISTEN","DATA":"/clavilux/n/noise_scale"}')
    for value in (0.7, 0.8, 0.9):
        talk.binary(moved(value))
    played, show.values["noise_scale"] = 2, 0.8
    assert [address for address, _ in value_messages(talk.news())] == ["/clavilux/n/noise_scale"]
    played, show.values["noise_scale"] = 3, 0.9
    assert [address for address, _ in value_messages(talk.news())] == ["/clavilux/n/noise_scale"]
    talk.binary(encode(Message("/clavilux/noise_scale", ("loud",))))
    assert talk.news() == []
    played = 4
    # What was refused is put right, once.
    assert value_messages(talk.news()) == [("/clavilux/noise_scale", pytest.approx(0.9))]
    assert talk.news() == []


def test_a_parameter_that_comes_while_the_show_plays_is_said_and_can_be_listened_to():
    table = TABLE.extended()
    query = OscQuery(lambda: {"lora/0/scale": 0.5}, table=table)
    talk = Conversation(query, lambda address, args: None)
    table.grow(lora_scale(0))
    assert [json.loads(t) for t in talk.news()] == [{"COMMAND": "PATH_ADDED", "DATA": "/clavilux/lora/0/scale"}]
    for path in ("/clavilux/lora/0/scale", "/clavilux/n/lora/0/scale"):
        told = value_messages(talk.text(json.dumps({"COMMAND": "LISTEN", "DATA": path})))
        assert [address for address, _ in told] == [path]


def test_a_mapping_that_is_read_again_changes_the_namespace():
    show = Show()
    show.rows = [
        Binding(Control("osc", address="/composition/layers/1/video/opacity"), to="delta"),
        Binding(Control("osc", address="/new"), do="tap"),
    ]
    assert [json.loads(t) for t in show.talk.news()] == [
        {"COMMAND": "PATH_ADDED", "DATA": "/new"},
        {"COMMAND": "PATH_CHANGED", "DATA": "/composition/layers/1/video/opacity"},
    ]
    show.rows = []
    assert {json.loads(t)["COMMAND"] for t in show.talk.news()} == {"PATH_REMOVED"}
    assert show.talk.news() == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '{"COMMAND":"LISTEN"}', '{"COMMAND":"LISTEN","DATA":7}', '{"COMMAND":"LISTEN","DATA":"/x"}'],
)
def test_what_means_nothing_is_left_aside(text):
    show = Show()
    assert show.talk.text(text) == []
    show.talk.binary(text.encode())
    assert show.played == []
