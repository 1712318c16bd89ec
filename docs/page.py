"""Photographs the control page for the README and these docs: `python docs/page.py http://127.0.0.1:8000 [FOLDER]`.

A show has to play there; Debian's chromium and playwright have to be installed.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
SIZES = {"page": (1440, 900), "page-tablet": (820, 1180), "page-phone": (390, 844)}


def main() -> None:
    url = sys.argv[1]
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent / "pictures")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, has_touch=width < 1000)
            page.goto(url)
            page.wait_for_selector("#stage[data-by=webrtc]", timeout=30_000)
            # Let the first pictures sharpen.
            page.wait_for_timeout(4000)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
