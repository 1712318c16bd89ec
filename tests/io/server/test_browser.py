"""The page in a real Chromium: what a performer sees and does."""

import time
from types import SimpleNamespace

import pytest
from clavilux.engine.core.events import Event
from clavilux.engine.core.presets import Cue, Preset, Repertoire
from clavilux.engine.core.recall import Recall
from clavilux.io.fake_ports import FakeMidi
from clavilux.mappings import load_mapping

from .browsing import BRIGHTNESS, DECODED, FAINT, MARKS, NOW, connect, parameters, seen, until, with_looks
from .test_modulators import swinging
from .test_session import SEED_MESSAGES

pytestmark = MARKS

# The example of the document on sending parameters, as a page of its own would run it.
SEED_PAGE = """async () => {
  const pc = new RTCPeerConnection();
  const dataChannel = pc.createDataChannel("parameters", { ordered: true });
  window.heard = [];
  dataChannel.onmessage = (event) => {
    const data = JSON.parse(event.data);
    window.heard.push(data);
    if (data.type === "stream_stopped") pc.close();
  };
  window.sendParameters = (params) => {
    if (dataChannel.readyState === "open") dataChannel.send(JSON.stringify(params));
  };
  const opened = new Promise((done) => (dataChannel.onopen = done));
  pc.addTransceiver("video");
  pc.ontrack = (event) => {
    const video = document.createElement("video");
    Object.assign(video, { srcObject: event.streams[0], muted: true, autoplay: true, id: "seed" });
    document.body.append(video);
  };
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  const response = await fetch("/api/v1/webrtc/offer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      sdp: offer.sdp,
      type: offer.type,
      initialParameters: {
        prompts: [{ text: "Initial prompt", weight: 1.0 }],
        denoising_step_list: [1000, 750, 500, 250],
        manage_cache: true
      }
    })
  });
  const answer = await response.json();
  const early = [];
  pc.onicecandidate = ({ candidate }) => candidate && fetch(`/api/v1/webrtc/offer/${answer.sessionId}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ candidates: [candidate.toJSON()] })
  });
  await pc.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
  await opened;
}"""


def test_the_picture_moves_and_a_fader_moves_it(live, page):
    connect(page, live)
    before = page.evaluate(DECODED)
    until(page, f"() => ({DECODED})() > {before} + 5")
    assert page.evaluate(BRIGHTNESS) > 150
    track = page.locator("[data-name=noise_scale] .track")
    box = track.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.9, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, middle, steps=4)
    page.mouse.up()
    until(page, f"() => ({BRIGHTNESS})() < 80")
    assert parameters(page)["noise_scale"] == pytest.approx(0.25, abs=0.01)
    # An OSC program moves it back, and the page shows it: the target at once, the value as it arrives.
    live.stage.inbox.put(Event(live.stage.clock.now(), "osc", "/clavilux/noise_scale", (1.0,)))
    until(page, "() => document.querySelector('[data-name=noise_scale] .track').ariaValueNow == 1")
    until(page, "() => document.querySelector('[data-name=noise_scale] .fill').style.width == '100%'")
    assert "/clavilux/noise_scale" in page.locator(".activity").inner_text()


PLAYED = """async () => {
  const answer = await fetch('/api/v1/session/parameters');
  return (await answer.json()).parameters.t_index_list.join(' ');
}"""


def test_a_step_more_comes_between_others_and_the_ends_stay(live, page):
    connect(page, live)
    field = page.locator(".field[data-name=t_index_list]")
    box = field.locator("input")
    box.fill("0 20")
    box.press("Enter")
    for sign, expected in (
        *(("+", [0, 10, 20]), ("+", [0, 5, 10, 20]), ("+", [0, 5, 10, 15, 20])),
        *(("−", [0, 10, 15, 20]), ("−", [0, 10, 20]), ("−", [0, 20]), ("−", [0]), ("−", [0]), ("+", [0, 25])),
    ):
        field.get_by_role("button", name=sign, exact=True).click()
        shown = " ".join(map(str, expected))
        until(page, f"() => document.querySelector('.field[data-name=t_index_list] input').value == '{shown}'")
        until(page, f"async () => (await ({PLAYED})()) === '{shown}'")  # as soon as the page has sent it


def test_the_example_page_of_the_second_seed_runs_unchanged(live, page):
    page.goto(live.url + "/output")
    page.evaluate(SEED_PAGE)
    assert parameters(page)["prompts"] == [{"text": "Initial prompt", "weight": 1.0}]
    for message, after in SEED_MESSAGES:
        page.evaluate("message => sendParameters(message)", message)
        if after:
            page.wait_for_function(
                """async (wanted) => {
                  const all = (await (await fetch('/api/v1/session/parameters')).json()).parameters;
                  return Object.entries(wanted).every(([k, v]) => JSON.stringify(all[k]) === JSON.stringify(v));
                }""",
                arg=after,
                polling=50,
            )
    page.evaluate("() => sendParameters({ vace_ref_images: ['/path/to/reference.png'] })")
    until(page, "() => heard.some((m) => m.type === 'error' && m.key === 'vace_ref_images')")
    page.evaluate("() => sendParameters({ lora_scales: [{ path: '/path/to/style.safetensors', scale: 0.5 }] })")
    until(page, "() => heard.some((m) => m.type === 'error' && m.key === 'lora_scales')")
    until(page, "() => document.querySelector('#seed').getVideoPlaybackQuality().totalVideoFrames > 3")
    live.server.stop()
    until(page, "() => heard.some((m) => m.type === 'stream_stopped' && m.error_message)")


def test_two_pages_stay_in_step_and_prompts_hold_and_transitions_are_played(live, page, chromium):
    connect(page, live)
    other = chromium.new_page()
    connect(other, live)
    page.get_by_label("Text", exact=True).first.fill("burning flames")
    page.keyboard.press("Enter")
    until(other, "() => document.querySelector('.rows input').value === 'burning flames'")
    other.get_by_label("Prompt to move to").fill("ocean waves")
    other.get_by_role("button", name="Go", exact=True).click()
    until(page, "() => document.querySelector('.rows input').value === 'ocean waves'")
    page.get_by_role("switch", name="Hold").click()
    until(other, "() => document.querySelector('footer [data-name=paused]').ariaChecked === 'true'")
    assert parameters(page)["paused"] is True
    other.get_by_role("button", name="Panic").click()
    until(page, "() => document.querySelector('footer [data-name=paused]').ariaChecked === 'false'")
    other.close()


def test_a_midi_knob_beside_an_open_page_moves_it_and_is_named(live, page):
    live.stage.router.rebind(load_mapping("nanokontrol2").bindings)
    knob = FakeMidi(live.stage.clock, live.stage.inbox, "nanoKONTROL2 SLIDER/KNOB")
    connect(page, live)
    stands = "() => document.querySelector('[data-name=noise_scale] .track').ariaValueNow"
    for value in (0, 32, 127, 64):
        knob.cc(0, value)
    until(page, f"() => Math.abs(({stands})() - 64 / 127) < 0.001")
    until(page, f"() => ({BRIGHTNESS})() < 130")
    line = page.locator(".activity .item", has_text="/cc/1/0")
    assert "noise_scale" in line.inner_text()
    # The page moves the same value, and the knob takes it back from there.
    page.locator("[data-name=noise_scale] .track").focus()
    page.keyboard.press("Home")
    until(page, f"() => ({BRIGHTNESS})() < 30")
    assert parameters(page)["noise_scale"] == 0
    knob.cc(0, 127)
    until(page, f"() => ({stands})() == 1")
    until(page, f"() => ({BRIGHTNESS})() > 150")


def test_a_knob_that_comes_while_the_page_is_open_is_on_it_and_moves(live, page):
    connect(page, live)
    live.stage.inbox.put(Event(live.stage.clock.now(), "osc", "/clavilux/lora_scales", ("ink", 0.8)))
    knob = "document.querySelector('[data-name=\"lora/0/scale\"] .track')"
    until(page, f"() => {knob}?.ariaValueNow == 0.8")
    live.stage.inbox.put(Event(live.stage.clock.now(), "osc", "/clavilux/lora/0/scale", (0.3,)))
    until(page, f"() => {knob}.ariaValueNow == 0.3")


def test_a_look_is_stored_and_comes_back_and_cues_go_by_a_button(live, page):
    router = live.stage.router
    repertoire = Repertoire({"dim": Preset("dim", {"noise_scale": 0.3})}, (Cue("dim"), Cue("dim", "end")))
    router.recall = Recall(router.state, router.transport, live.stage.notices, repertoire)
    connect(page, live)
    panel = page.locator("[data-group=Presets]")
    panel.get_by_label("Name of the preset to store").fill("bright")
    panel.get_by_role("button", name="Store").click()
    panel.get_by_role("button", name="bright").wait_for()
    panel.get_by_role("button", name="dim").click()
    until(page, "() => document.querySelector('[data-name=noise_scale] .fill').style.width == '30%'")
    panel.get_by_role("button", name="bright").click()
    until(page, "() => document.querySelector('[data-name=noise_scale] .fill').style.width == '100%'")
    assert "0 of 2; next dim" in panel.inner_text()
    panel.get_by_role("button", name="Go").click()
    until(page, "() => document.querySelector('[data-group=Presets]').innerText.includes('1 of 2: dim; next end')")
    assert parameters(page)["noise_scale"] == 0.3


def test_keys_play_what_a_performer_needs_and_nothing_while_one_types(live, page):
    with_looks(live)
    connect(page, live)
    page.locator(".pad").first.wait_for()

    def comes(**wanted: float) -> None:
        there = " && ".join(f"now.{name} == {value}" for name, value in wanted.items())
        until(page, f"async () => {{ const now = {NOW}; return {there}; }}")

    press = page.keyboard.press
    press("2")
    comes(noise_scale=0.9)
    press("b")
    comes(blackout=1)
    press("B")
    comes(blackout=0)
    press("p")
    comes(paused=1)
    press("p")
    comes(paused=0)
    where = page.locator(".cues .quiet")
    press("g")
    until(page, "() => document.querySelector('.cues').innerText.includes('1 of 2')")
    comes(noise_scale=0.3)
    # A pad that was clicked has the focus; Space is the cue's all the same, once.
    page.locator(".pad").first.click()
    press("Space")
    until(page, "() => document.querySelector('.cues').innerText.includes('2 of 2')")
    comes(noise_scale=0.9)
    # Typing plays nothing; neither do keys that belong to the browser, nor Escape alone.
    field = page.get_by_label("Prompt to move to")
    field.click()
    page.keyboard.type("1 big picture")
    assert field.input_value() == "1 big picture"
    field.blur()
    for key in ("Control+b", "Alt+p", "Escape", "3"):
        press(key)
    page.wait_for_timeout(300)
    now = parameters(page)
    assert (now["noise_scale"], now["blackout"], now["paused"]) == (0.9, False, False)
    assert where.inner_text().startswith("2 of 2")
    press("Shift+Escape")
    comes(noise_scale=1.0, blackout=0)
    until(page, "() => document.querySelector('.cues').innerText.includes('0 of 2')")
    # Who walks through the page by Tab presses with Space what is in focus.
    page.keyboard.press("Tab")
    page.locator(".pad").first.focus()
    press("Space")
    comes(noise_scale=0.3)
    assert where.inner_text().startswith("0 of 2")


def test_the_list_of_keys_is_shown_at_a_question_mark(live, page):
    connect(page, live)
    page.locator("[data-name=noise_scale] .track").wait_for()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    assert "Go to the next cue" in sheet.inner_text()
    assert page.evaluate(FAINT) == []
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    assert parameters(page)["blackout"] is False
    page.get_by_role("button", name="Keys").click()
    sheet.get_by_role("button", name="Close").click()
    assert not sheet.is_visible()


def test_a_modulator_has_its_fader_which_moves_what_it_swings_and_an_envelope_its_button(live, page):
    swinging(live.stage)
    connect(page, live)
    panel = page.locator("[data-group=Modulators]")
    assert "Breathe" in panel.inner_text()
    widths = "() => document.querySelector('[data-name=feedback] .fill').style.width"
    assert page.evaluate(widths) == "0%"
    panel.get_by_role("button", name="kick", exact=True).click()
    until(page, f"() => parseFloat(({widths})()) > 2")
    fader = panel.locator("[data-name='modulator/breathe/depth']")
    fader.get_by_label("breathe value").fill("0.25")
    fader.get_by_label("breathe value").press("Enter")
    until(page, f"async () => {NOW}['modulator/breathe/depth'] == 0.25")


def test_a_server_that_comes_back_is_found_again(live, page):
    connect(page, live)
    live.server.stop()
    page.wait_for_selector("body.lost")
    assert "no connection" in page.locator("#link").inner_text()
    live.serve_again()
    page.wait_for_selector("body:not(.lost) #stage[data-by=webrtc]")
    before = page.evaluate(DECODED)
    until(page, f"() => ({DECODED})() != {before}")


@pytest.mark.parametrize("path", ["/output", "/"])
@pytest.mark.parametrize(("first", "last"), [(1.0, 0.0), (0.1, 0.9)])
def test_when_the_connection_drops_the_last_picture_stands_and_no_older_one(live, page, path, first, last):
    live.stage.desk.play({"noise_scale": first})
    # Single pictures come before WebRTC does.
    page.route("**/webrtc/offer", lambda route: (time.sleep(0.7), route.continue_()))
    page.goto(live.url + path)
    page.wait_for_selector("#stage[data-by=webrtc]")
    live.stage.desk.play({"noise_scale": last})
    until(page, f"() => Math.abs(({BRIGHTNESS})() - {200 * last}) < 12")
    before = seen(page)
    # A show that is killed answers nothing more.
    page.route("**/session/frame", lambda route: route.abort())
    live.server.stop()
    page.wait_for_selector("#stage[data-by=jpeg]")
    for _ in range(10):
        assert seen(page) == pytest.approx(before, abs=12)  # it may glide on a little; an older one is 160 away
        page.wait_for_timeout(50)
    live.serve_again()
    page.wait_for_selector("#stage[data-by=webrtc]")
    live.server.stop()
    page.wait_for_selector("#stage[data-by=jpeg]")
    assert seen(page) == pytest.approx(before, abs=12)


def test_without_webrtc_single_pictures_come(live, page):
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto(live.url)
    page.wait_for_selector("#stage[data-by=jpeg]")
    light = "() => document.querySelector('#stage canvas').getContext('2d').getImageData(4, 4, 1, 1).data[0]"
    until(page, f"() => ({light})() > 150")
    live.stage.desk.play({"noise_scale": 0.1})
    until(page, f"() => ({light})() < 60")
    page.locator("[data-name=delta] .track").focus()
    page.keyboard.press("Home")
    until(page, "async () => (await (await fetch('/api/v1/session/parameters')).json()).parameters.delta === 0")


def test_the_output_view_is_the_picture_alone(live, page):
    page.goto(live.url + "/output")
    page.wait_for_selector("#stage[data-by=webrtc]")
    box = page.locator("#stage").bounding_box()
    assert (box["width"], box["height"]) == (page.viewport_size["width"], page.viewport_size["height"])
    assert page.locator("header, footer, .panel").count() == 0


def test_a_finger_that_scrolls_moves_nothing_and_one_that_drags_or_taps_does(live, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live.url)
    box = page.locator("[data-name=noise_scale] .track").bounding_box()
    touch = page.context.new_cdp_session(page)

    def stroke(*places: tuple[float, float]) -> None:
        """A finger goes down at the first place, over the others, and up. Places are shares of the fader."""
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
        for kind, point in [("touchStart", points[0]), *(("touchMove", p) for p in points[1:]), ("touchEnd", None)]:
            at = [] if point is None else [{"x": point[0], "y": point[1]}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    page.wait_for_timeout(500)
    stroke((0.2, 0.5), (0.2, -0.5), (0.2, -1.5), (0.21, -3))
    stroke((0.3, 0.5), (0.3, 1.5), (0.3, 3), (0.3, 4))
    page.wait_for_timeout(300)
    assert parameters(page)["noise_scale"] == 1.0
    box = page.locator("[data-name=noise_scale] .track").bounding_box()
    stroke((0.9, 0.5), (0.8, 0.5), (0.7, 0.6), (0.5, 0.6))
    until(page, f"async () => Math.abs({NOW}.noise_scale - 0.5) < 0.02")
    stroke((0.25, 0.5))
    until(page, f"async () => Math.abs({NOW}.noise_scale - 0.25) < 0.02")


def test_files_are_chosen_from_the_assets_folder_and_typed_amounts_go_beyond_the_slider(live, page, monkeypatch):
    movable = {"status": "loaded", "load_params": {"lora_merge_mode": "runtime_peft"}, "loaded_lora_adapters": []}
    monkeypatch.setattr(live.stage.desk, "pipeline", SimpleNamespace(status=lambda: movable))
    for name in ("ink.safetensors", "face.png"):
        (live.stage.desk.assets / name).write_bytes(b"x")
    connect(page, live)
    names = "[...document.querySelectorAll('#assets option')].map((o) => o.value).join()"
    until(page, f"() => {names} === 'face.png,ink.safetensors'")
    lora = page.locator("[data-name=lora_scales]")
    lora.get_by_role("button", name="+ file").click()
    lora.get_by_label("File").fill("ink.safetensors")
    page.keyboard.press("Enter")
    lora.get_by_label("Scale value").fill("-3,5")
    page.keyboard.press("Enter")
    path = str((live.stage.desk.assets / "ink.safetensors").resolve())
    until(
        page,
        f"async () => {NOW}.lora_scales[0]?.scale === -3.5",
    )
    assert parameters(page)["lora_scales"] == [{"path": path, "scale": -3.5}]
    pictures = page.locator("[data-name=vace_ref_images]")
    pictures.get_by_role("button", name="+ file").click()
    pictures.get_by_label("File").fill("face.png")
    page.keyboard.press("Tab")
    until(
        page,
        f"async () => {NOW}.vace_ref_images.length === 1",
    )
    pictures.get_by_role("button", name="Remove").click()
    until(
        page,
        f"async () => {NOW}.vace_ref_images.length === 0",
    )
