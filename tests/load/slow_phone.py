"""`python -m tests.load.slow_phone [ROUNDS]`: how long a reader with a slow phone waits, by
Chromium's own throttling: 1.6 Mbit/s, 150 ms, a processor four times slower, nothing in the cache.
And a reader at a desk, with nothing slowed down.

Printed for the first page and for coverage, without a proxy and behind nginx: seconds until the
question and the first picture stand on the screen, and until the app has taken over; how far what
is read has moved (layout shift); compressed bytes. Medians.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.load.__main__ import AHEAD, serving
from tests.proxy import NGINX, nginx_before

PAGES = {"first page": "/", "coverage": "/coverage"}
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}
SLOWER = 4
PHONE = (
    "Mozilla/5.0 (Linux; Android 13; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"
    " Mobile Safari/537.36"
)
WATCH = """
window.seen = {shift: 0};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
const look = () => {
  const has = (selector) => document.querySelector(selector)?.getBoundingClientRect().height > 0;
  const note = (name, yes) => { if (yes) seen[name] ??= performance.now(); };
  const first = document.getElementById('first-view');
  note('question', has('#first-view h1'));
  note('picture', has('#first-view .first-picture') && first.querySelector('img').complete);
  note('app', seen.question && document.readyState !== 'loading' && !first);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def visit(browser: Any, address: str, *, slow: bool) -> dict[str, float]:
    """Seconds of one visit, its layout shift, and the kilobytes that came."""
    reader = (
        {"viewport": {"width": 390, "height": 844}, "user_agent": PHONE}
        if slow
        else {"viewport": {"width": 1280, "height": 900}}
    )
    context = browser.new_context(**reader)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    got = [0.0]
    tools.on(
        "Network.loadingFinished", lambda e: got.__setitem__(0, got[0] + e["encodedDataLength"])
    )
    tools.send("Network.enable")
    if slow:
        tools.send("Network.emulateNetworkConditions", SLOW)
        tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit", timeout=120_000)
    page.wait_for_function("window.seen && seen.app", timeout=120_000)
    seen: dict[str, float] = page.evaluate("seen")
    context.close()
    return {
        **{name: seen[name] / 1000 for name in ("question", "picture", "app")},
        "shift": seen["shift"],
        "kilobytes": got[0] / 1000,
    }


def main(rounds: int) -> None:
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        address, _process = stack.enter_context(serving("service.py", **AHEAD))
        playwright = stack.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        ways = {"without a proxy": (address, True), "at a desk": (address, False)}
        if NGINX is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            proxy = stack.enter_context(nginx_before([address, address], folder))
            ways["behind nginx"] = (proxy, True)
        for way, (base, slow) in ways.items():
            for name, path in PAGES.items():
                visit(chromium, base + path, slow=slow)  # the beginning of a page is drawn once
                runs = [visit(chromium, base + path, slow=slow) for _ in range(rounds)]
                middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                print(
                    f"{name}, {way}: question {middle['question']:.1f} s, picture"
                    f" {middle['picture']:.1f} s, app {middle['app']:.1f} s, shift"
                    f" {middle['shift']:.3f}, {middle['kilobytes']:.0f} kB"
                )
        chromium.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
