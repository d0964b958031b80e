"""Take the README's pictures of a running app: `python tools/pictures.py http://localhost:8501
docs/pictures`."""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PAGES = {
    "at-a-glance": "",
    "get-help": "get-help",
    "neighborhood": "neighborhood?area=RV1",
    "find": "find",
    "calls": "calls?area=north_hills&type=substance_use",
    "funnel": "funnel",
    "coverage": "coverage?year=2025",
    "times": "times",
    "outcomes": "outcomes",
    "safety": "safety",
    "after": "after",
    "staffing": "staffing",
    "money": "money",
    "fairness": "fairness",
    "scorecard": "scorecard",
    "quarters": "quarters",
    "claims": "claims",
    "how-we-compare": "how-we-compare",
    "data": "data",
    "story": "story",
    "changes": "changes",
    "crosswalk": "crosswalk",
    "methods": "methods",
    "glossary": "glossary",
}
ON_PHONE = ("at-a-glance", "neighborhood", "calls", "funnel", "coverage", "safety")
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile"
    " Safari/537.36"
)


def main(address: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--ignore-gpu-blocklist",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=arguments
        )
        for width, height, suffix, agent in ((1000, 1250, "", None), (320, 900, "-phone", PHONE)):
            page = browser.new_context(
                viewport={"width": width, "height": height}, user_agent=agent
            ).new_page()
            for name, path in PAGES.items():
                if suffix and name not in ON_PHONE:
                    continue
                page.goto(f"{address}/{path}")
                page.get_by_text("Data to").last.wait_for()
                if page.locator("[data-testid=stDeckGlJsonChart]").count():
                    page.wait_for_timeout(8000)  # a map is drawn in software
                page.wait_for_timeout(3500)
                taken = folder / f"{name}{suffix}.png"
                page.screenshot(path=taken)
                # 256 colours are enough for flat surfaces, and a third of the bytes.
                Image.open(taken).convert("RGB").quantize(256).save(taken, optimize=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
