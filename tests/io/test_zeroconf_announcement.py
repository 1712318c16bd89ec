"""The announcement: another program finds the show, and finds it gone."""

import sys

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.io.zeroconf_announcement import Announcement


@pytest.mark.real
def test_another_program_finds_the_show_and_its_ports():
    zeroconf = pytest.importorskip("zeroconf")
    notices = Notices(ManualClock())
    announcement = Announcement("127.0.0.1", 8377, 8378, notices, "Clavilux test")
    announcement.start()
    if notices.recent:
        pytest.skip(notices.recent[0].text)
    looking = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
    try:
        for kind, port in (("_oscjson._tcp.local.", 8377), ("_osc._udp.local.", 8378)):
            found = looking.get_service_info(kind, f"Clavilux test 8377.{kind}", 5000)
            assert found is not None
            assert (found.port, found.parsed_addresses()) == (port, ["127.0.0.1"])
        announcement.stop()
        announcement.stop()
    finally:
        looking.close()


def test_without_the_library_there_is_no_announcement_and_no_fault(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    notices = Notices(ManualClock())
    announcement = Announcement("127.0.0.1", 8377, 8378, notices)
    announcement.start()
    announcement.stop()
    assert "clavilux[oscquery]" in notices.recent[0].text


def test_a_show_that_ended_at_once_is_not_announced():
    pytest.importorskip("zeroconf")
    announcement = Announcement("127.0.0.1", 8377, 8378, Notices(ManualClock()))
    announcement.stop()
    announcement.start()
    assert announcement._zeroconf is None
