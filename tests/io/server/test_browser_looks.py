"""How the page looks in a real Chromium: on any screen, with all it has to say, to fingers and keys."""

import logging

import pytest
from clavilux.engine.core.events import Event

from .browsing import FAINT, MARKS, connect, parameters, until, with_looks

pytestmark = MARKS

SIZES = {
    "desk": (1440, 900),
    "tablet": (820, 1180),
    "lying tablet": (1024, 768),
    "phone": (390, 844),
    "lying phone": (844, 390),
}
# Everything that is pressed or dragged and is in sight, too small for a finger.
SMALL = """() => [...document.querySelectorAll("button, select, summary, a, .track, .line-of-steps, input:not(.value)")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("size", SIZES)
def test_on_any_screen_the_picture_is_large_nothing_is_cut_off_and_all_is_in_reach(live, page, size):
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    connect(page, live)
    page.wait_for_selector("[data-name=noise_scale]")
    assert page.evaluate("() => [document.documentElement.scrollWidth, scrollY]") == [width, 0]
    for name in ("paused", "blackout", "panic"):
        box = page.locator(f"footer [data-name={name}]").bounding_box()
        assert box["y"] + box["height"] <= height
        assert box["height"] >= 44
    assert page.locator("[data-name=noise_scale] .track").bounding_box()["width"] > 200
    # The stage's picture is 4 to 3; it is seen whole, and takes a good part of the screen.
    picture = page.locator("#stage video").bounding_box()
    assert picture["width"] / picture["height"] == pytest.approx(4 / 3, rel=0.01)
    assert picture["y"] + picture["height"] <= height
    assert picture["width"] >= min(0.3 * width, 0.8 * height)
    if size != "desk":
        assert page.evaluate(SMALL) == []
    # What is said takes nothing of the picture, in the strip or in the open list.
    live.stage.notices.say("source:camera", "Source lost: the camera is gone; trying again.")
    page.locator("#said button").wait_for()
    assert page.locator("#stage video").bounding_box() == picture
    assert page.evaluate(FAINT) == []
    if size != "desk":
        assert page.evaluate(SMALL) == []
    page.locator("#noticed").click()
    assert page.evaluate(FAINT) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == width


# The show's words beside the picture, one over the other at most by a shadow.
OVERLAP = """() => {
  const [a, b] = ["#stage", "#notices"].map((one) => document.querySelector(one).getBoundingClientRect());
  return b.height > 0 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
}"""


def test_notices_are_a_list_by_how_bad_they_are_beside_the_picture(live, page):
    say, clear = live.stage.notices.say, live.stage.notices.clear
    say("midi:none", "no MIDI here. OSC plays all the same")
    connect(page, live)
    button, rows = page.locator("#noticed"), page.locator("#notices li")
    # What was there before the page is counted, and not said again.
    button.wait_for()
    assert button.get_attribute("aria-label") == "1 notice"
    assert page.locator("#said button").count() == 0
    assert not page.locator("#notices").is_visible()
    say("unknown:/a", "nothing is at /clavilux/noise_scael; did you mean noise_scale?")
    page.locator("#said [data-level=warning]", has_text="noise_scael").wait_for()
    say("source:camera", "Source lost: the camera is gone; trying again.")
    page.locator("#said [data-level=fault]", has_text="the camera is gone").wait_for()
    say("cue", "1 of 2: dim", logging.INFO)
    page.locator("#said [data-level=info]").wait_for()
    assert (button.get_attribute("aria-expanded"), button.get_attribute("data-level")) == ("false", "fault")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert not page.evaluate(OVERLAP)
    levels = rows.evaluate_all("(all) => all.map((one) => one.dataset.level)")
    assert levels == ["info", "fault", "warning", "warning"]
    # What is over takes its fault's place, and what is dismissed stays away.
    clear("source:camera", "Source camera is back.")
    page.locator("#notices li[data-level=info]", has_text="is back").wait_for()
    page.get_by_role("button", name="Dismiss: no MIDI here").click()
    page.wait_for_timeout(700)
    assert rows.count() == 3
    assert button.get_attribute("data-level") == "warning"
    page.keyboard.press("Escape")
    assert not page.locator("#notices").is_visible()
    button.click()
    page.get_by_role("button", name="Dismiss all").click()
    assert not button.is_visible()
    assert not page.locator("#notices").is_visible()


@pytest.mark.parametrize("width", [320, 360, 390, 820, 1024, 1280])
def test_on_any_width_nothing_is_cut_off_however_much_is_said(live, page, width):
    page.set_viewport_size({"width": width, "height": 740})
    for i in range(99):
        live.stage.notices.say(f"unknown:/clavilux/thing/{i}", f"nothing is at /clavilux/a_rather_long_address/{i}" * 3)
    connect(page, live)
    # The widest figures there are.
    figures = "document.querySelectorAll('#figures dd')"
    page.evaluate(f"() => {figures}.forEach((one) => one.style.setProperty('min-width', '62px'))")
    button = page.locator("#noticed")
    assert button.get_attribute("aria-label") == "99 notices"
    assert button.inner_text().split() == (["99"] if width <= 700 else ["99", "notices"])
    for _ in range(2):
        # Nothing is wider than the screen, nor cut off at its edge.
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
        for part in ("header", ".front", "footer", "main"):
            wide = page.locator(part).first.evaluate("(one) => one.scrollWidth - one.clientWidth")
            assert wide <= 0, part
        for name in ("paused", "panic"):
            box = page.locator(f"footer [data-name={name}]").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        page.locator("#noticed").click()


def test_controls_are_called_as_people_write_and_explain_themselves_to_fingers_and_keys(live, page):
    page.set_viewport_size({"width": 820, "height": 1180})
    connect(page, live)
    for name, words in (
        ("kv_cache_attention_bias", "KV cache attention bias"),
        ("t_index_list", "T-index list"),
        ("num_inference_steps", "Inference steps"),
        ("vace_ref_images", "VACE reference images"),
    ):
        assert page.locator(f"[data-name={name}] .name").inner_text().startswith(words)
    ask = page.get_by_role("button", name="Noise scale: help")
    line = page.locator("[data-name=noise_scale] .help")
    assert not line.is_visible()
    ask.click()
    assert line.is_visible()
    assert line.inner_text() == f"{live.stage.desk.table['noise_scale'].help} 0 to 1 · /clavilux/noise_scale"
    assert page.evaluate(FAINT) == []
    ask.press("Enter")
    assert not line.is_visible()
    assert ask.get_attribute("aria-expanded") == "false"
    # A switch, which is a button as a whole, has its help beside it.
    page.get_by_role("button", name="Noise controller: help").click()
    assert "more motion, less noise" in page.locator(".asked", has_text="Noise controller").inner_text()
    assert parameters(page)["noise_controller"] is False
    # All of the table's parameters on the page have it, and nothing is pressed or typed into without a name.
    silent = """() => [...document.querySelectorAll("#play [data-name], #words [data-name]")]
      .filter((one) => !(one.closest(".asked") ?? one).querySelector("[aria-controls^=help]"))
      .map((one) => one.dataset.name)"""
    assert page.evaluate(silent) == []
    for caption in ("How long", "Counted in", "Easing", "Along a"):
        assert page.get_by_text(caption, exact=True).is_visible()
        page.get_by_label(caption, exact=True).focus()
    nameless = """() => [...document.querySelectorAll("button, input, select, textarea, [tabindex]")]
      .filter((one) => !one.hidden && !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
      .map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []


@pytest.mark.parametrize("size", [(1440, 900), (1280, 900), (820, 1180), (360, 740)])
def test_presets_and_go_are_in_sight_as_large_as_a_finger_and_show_the_last_one(live, page, size):
    with_looks(live)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    connect(page, live)
    panel = page.locator("[data-group=Presets]")
    bottom = page.locator("footer").bounding_box()["y"]
    for name in ("Go", "dim", "bright"):
        box = panel.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["height"] >= 50
        assert box["width"] >= 80
        assert box["y"] + box["height"] <= bottom
    pressed = "[...document.querySelectorAll('.pad')].map((one) => one.ariaPressed).join()"
    panel.get_by_role("button", name="bright").click()
    until(page, f"() => {pressed} === 'false,true'")
    # Whoever recalls it: here a program over OSC.
    live.stage.inbox.put(Event(live.stage.clock.now(), "osc", "/clavilux/preset", ("dim",)))
    until(page, f"() => {pressed} === 'true,false'")
    page.locator("footer [data-name=panic]").click()
    until(page, f"() => {pressed} === 'false,false'")


def test_who_comes_without_the_token_is_asked_for_it_in_words(live, page):
    from clavilux.io.server.api import build
    from clavilux.io.server.door import Door
    from clavilux.io.server.listening import Listening, listen

    app = build(live.stage.desk, Door("127.0.0.1", token="lamp"))
    asking = Listening(app, listen("127.0.0.1", 0), live.stage.notices)
    asking.start()
    url = f"http://127.0.0.1:{asking.port}/"
    try:
        page.set_viewport_size({"width": 320, "height": 600})
        page.goto(url)
        assert "scan the QR code" in page.locator("main").inner_text()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 320
        assert page.evaluate(FAINT) == []
        page.get_by_label("Link or token").fill("lantern")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        page.get_by_label("Link or token").fill(f"{url}?token=lamp")
        page.get_by_role("button", name="Open").click()
        page.wait_for_selector("#stage[data-by=webrtc]")
        assert page.url == url
    finally:
        asking.stop()
