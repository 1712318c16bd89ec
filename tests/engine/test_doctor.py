"""`clavilux doctor`: what works, what is missing, what to do; and it never falls ill itself."""

import json
import socket

from clavilux.engine import cli, doctor
from clavilux.engine.cpu import cpu_name
from clavilux.engine.doctor import Finding, findings, report


def test_a_look_that_fails_is_a_finding_and_the_others_go_on():
    def ill():
        yield Finding("a", "first", "works", "fine")
        raise OSError("no bus")

    found = findings((ill, lambda: iter([Finding("b", "last", "works", "fine")])))
    assert [(f.name, f.state) for f in found] == [("first", "works"), ("look", "fault"), ("last", "works")]
    assert "no bus" in found[1].text


def test_the_report_says_what_to_do_under_what_is_wrong():
    text = report(
        [Finding("model", "cache", "fault", "cannot be written", "name another"), Finding("m", "x", "works", "")]
    )
    assert "  ! cache  cannot be written\n           -> name another\n" in text
    assert text.endswith("1 to mend\n")
    assert report([]).endswith("ready to play\n")


def test_a_package_that_is_gone_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setattr(
        doctor, "PACKAGES", (("no-such-thing", "no_such_thing", "prompts", "pip install no-such-thing"),)
    )
    monkeypatch.setattr(doctor, "EXTRAS", (("nor-this", "nor_this", "NDI", "ndi"),))
    gone, extra = doctor.packages()
    assert (gone.state, gone.remedy) == ("fault", "pip install no-such-thing")
    assert (extra.state, extra.remedy) == ("missing", 'pip install "clavilux[ndi]"')


def test_a_taken_port_is_told_for_each_protocol():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        found = {f.name: f for f in doctor.ports(other.getsockname()[1])}
    assert found["OSC"].state == "fault"
    assert "--port" in found["OSC"].remedy
    assert found["HTTP"].state == "works"


def test_a_cache_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CLAVILUX_CACHE", str(blocked / "cache"))
    found = {f.name: f for f in doctor.model()}
    assert found["cache"].state == "fault"
    assert "CLAVILUX_CACHE" in found["cache"].remedy
    assert found["embedded"].state == "works"


def test_the_command_answers_in_json_and_in_words(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {f["part"] for f in said} == {"machine", "packages", "accelerators", "model", "ports"}
    assert next(f for f in said if f["name"] == "embedded")["state"] == "works"
    assert cli.main(["doctor"]) == 0
    assert "accelerators:" in capsys.readouterr().out


def test_the_processor_has_a_name(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some Chip 9\n")
    assert cpu_name(info) == "Some Chip 9"
    assert cpu_name(tmp_path / "none")
