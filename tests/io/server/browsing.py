"""A Chromium to look at the page with: how it is started, what is asked of it, and looks for it to show."""

import io
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from clavilux.engine.core.presets import Cue, Preset, Repertoire
from clavilux.engine.core.recall import Recall

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
)
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)"),
]
PATIENCE = 20_000
BRIGHTNESS = """() => {
  const video = document.querySelector("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  return context.getImageData(0, 0, 8, 8).data[0];
}"""
# Every text in sight that does not stand out from what is behind it (WCAG: 4.5 to 1).
FAINT = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    const found = channels(getComputedStyle(one).backgroundColor);
    return found.length === 3 || found[3] === 1 ? found : one.parentElement ? behind(one.parentElement) : [0, 0, 0];
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility())
    .filter((one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((one) => {
      const [a, b] = [light(channels(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), one.textContent];
    })
    .filter(([contrast]) => contrast < 4.5);
}"""
NOW = "(await (await fetch('/api/v1/session/parameters')).json()).parameters"
DECODED = "() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"


def chromium_there() -> Iterator:
    """A browser, until it is let go of."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p, tempfile.TemporaryDirectory() as profile:
        context = p.chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=QUIET.split())
        context.set_default_timeout(PATIENCE)
        yield context
        context.close()


def parameters(page) -> dict:
    return page.evaluate("async () => (await (await fetch('/api/v1/session/parameters')).json()).parameters")


def until(page, script: str) -> None:
    # Looked at from here: a page behind another one gets no animation frames, and promises are waited for.
    for _ in range(PATIENCE // 50):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {script}")


def seen(page) -> int:
    """How bright the middle of the picture is, by a photograph of the page."""
    box = page.locator("#stage").bounding_box()
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "width": 4, "height": 4}
    from PIL import Image

    return Image.open(io.BytesIO(page.screenshot(clip=middle))).convert("L").getpixel((1, 1))


def connect(page, live) -> None:
    page.goto(live.url)
    page.wait_for_selector("#stage[data-by=webrtc]")


LOOKS = {"dim": Preset("dim", {"noise_scale": 0.3}), "bright": Preset("bright", {"noise_scale": 0.9})}


def with_looks(live) -> None:
    router = live.stage.router
    repertoire = Repertoire(LOOKS, (Cue("dim"), Cue("bright", "end")))
    router.recall = Recall(router.state, router.transport, live.stage.notices, repertoire)
