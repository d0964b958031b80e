"""Pictures of every page of a running app, each as long as the page is, and sheets of them:

    python -m tools.contact_sheets http://localhost:8501 build/pictures --name toronto
    python -m tools.contact_sheets ... --widths 390 --languages es --themes dark --pages calls money

For each language, theme and width one folder with a picture per page, and two kinds of sheets
next to it: `...-read-1.png` and on, in which each line can be read, and `....webp`, a small one of
all pages to keep.
"""

from __future__ import annotations

import argparse
import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.page.pages_list import PAGES, path_of

WIDTHS = {1280: 900, 390: 844, 320: 800}
"""Width and height of the window; 390 is a phone, 320 a wide screen at 400 %."""
PHONES = frozenset({390})
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile"
    " Safari/537.36"
)
CHROMIUM = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
WHOLE = """() => {
  const app = document.querySelector('#root [data-testid=stApp]');
  if (!app || document.getElementById('first-view')) return false;
  if (app.dataset.testScriptState !== 'notRunning') return false;
  if (app.querySelector('[data-testid=stSkeleton]')) return false;
  if (!app.querySelector('footer.foot')) return false;
  const drawn = '[data-testid=stVegaLiteChart],[data-testid=stDeckGlJsonChart]';
  const there = (chart) => chart.querySelector('canvas,svg');
  if (![...app.querySelectorAll(drawn)].every(there)) return false;
  const long = app.querySelector('[data-testid=stMain]').scrollHeight, now = Date.now();
  if (window.long !== long) [window.long, window.since] = [long, now];
  return now - window.since > 900 && long;
}"""
MAP_MS = 6000
"""A map is drawn in software."""
PIECE = 6000
"""Pixels of a page taken at once: Chromium repeats what lies beyond its largest texture."""
SCROLL = """top => {
  const main = document.querySelector('[data-testid=stMain]');
  main.scrollTop = top;
  return main.scrollTop;
}"""
SIDE, GAP = 1560, 16
"""A sheet to read is at most that wide and high."""
SHRUNK = {1280: 772, 390: 378, 320: 320}
"""Width of a page on a sheet to read."""
SMALL, SMALL_HIGH = 88, 300
"""Width of a page on the small sheet, and how much of it is shown."""
GREY = (128, 128, 128)


def take(page: Page, address: str, size: tuple[int, int], target: Path) -> None:
    """One page from top to end."""
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    long = page.wait_for_function(WHOLE, timeout=120_000, polling=200).json_value()
    piece = min(PIECE, max(height, long))
    page.set_viewport_size({"width": width, "height": piece})
    page.wait_for_timeout(600)
    long = page.wait_for_function(WHOLE, timeout=120_000, polling=200).json_value()
    if page.locator("[data-testid=stDeckGlJsonChart]").count():
        page.wait_for_timeout(MAP_MS)
    whole = Image.new("RGB", (width, max(height, long)))
    for top in range(0, max(1, long), piece):  # it may have grown since its window did
        at = round(page.evaluate(SCROLL, top))
        page.wait_for_timeout(200)
        whole.paste(Image.open(io.BytesIO(page.screenshot())), (0, at))
    whole.save(target)


def columns(pictures: Iterable[Image.Image], width: int, high: int) -> Iterator[Image.Image]:
    """Pictures at a width, cut into pieces of at most that height."""
    for picture in pictures:
        small = picture.resize((width, round(picture.height * width / picture.width)))
        for top in range(0, small.height, high):
            yield small.crop((0, top, width, min(top + high, small.height)))


def sheets(
    pieces: Sequence[Image.Image], per_row: int, rows: int, high: int
) -> Iterator[Image.Image]:
    """Pieces of one width side by side, `per_row` in a row, `rows` rows on a sheet."""
    for start in range(0, len(pieces), per_row * rows):
        shown = pieces[start : start + per_row * rows]
        wide = shown[0].width
        lines = -(-len(shown) // per_row)
        sheet = Image.new("RGB", (per_row * (wide + GAP) - GAP, lines * (high + GAP) - GAP), GREY)
        for number, piece in enumerate(shown):
            row, column = divmod(number, per_row)
            sheet.paste(piece, (column * (wide + GAP), row * (high + GAP)))
        yield sheet


def named(picture: Image.Image, name: str) -> Image.Image:
    """The picture under a line that names its page."""
    band = round(picture.width / 24)
    whole = Image.new("RGB", (picture.width, picture.height + band), GREY)
    whole.paste(picture, (0, band))
    ImageDraw.Draw(whole).text((4, 0), name, font_size=band * 0.8, fill="white")
    return whole


def write_sheets(folder: Path, width: int) -> None:
    """Both kinds of sheets of a folder's pictures, next to the folder."""
    taken = [
        named(Image.open(file).convert("RGB"), file.stem)
        for file in (folder / f"{page}.png" for page in PAGES)
        if file.exists()
    ]
    wide = SHRUNK[width]
    pieces = list(columns(taken, wide, SIDE))
    per_row = max(1, (SIDE + GAP) // (wide + GAP))
    for number, sheet in enumerate(sheets(pieces, per_row, 1, SIDE), 1):
        sheet.save(folder.parent / f"{folder.name}-read-{number}.png")
    tops = [next(columns([picture], SMALL, SMALL_HIGH)) for picture in taken]
    (small,) = sheets(tops, 12, 99, SMALL_HIGH)
    small.save(folder.parent / f"{folder.name}.webp", quality=45, method=6)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.contact_sheets")
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True, help="of the release, in names of files")
    parser.add_argument("--widths", nargs="+", type=int, choices=WIDTHS, default=list(WIDTHS))
    parser.add_argument("--languages", nargs="+", default=["en", "es"])
    parser.add_argument("--themes", nargs="+", choices=("light", "dark"), default=["light", "dark"])
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    asked = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        for width, code, theme in product(asked.widths, asked.languages, asked.themes):
            folder = asked.folder / f"{asked.name}-{width}-{code}-{theme}"
            folder.mkdir(parents=True, exist_ok=True)
            _take_all(browser, asked, (width, code, theme), folder)
            write_sheets(folder, width)
            print(folder, flush=True)
        browser.close()


def _take_all(
    browser: Browser, asked: argparse.Namespace, how: tuple[int, str, str], folder: Path
) -> None:
    width, code, theme = how
    agent = PHONE if width in PHONES else None
    for name in asked.pages:
        context = browser.new_context(user_agent=agent, color_scheme=theme)  # type: ignore[arg-type]
        address = f"{asked.address}/{path_of(name)}?lang={code}"
        take(context.new_page(), address, (width, WIDTHS[width]), folder / f"{name}.png")
        context.close()


if __name__ == "__main__":
    main()
