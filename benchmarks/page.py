"""How the page feels with a full store: the first paint, the Runs tab, a poll, and Compare.

    python -m benchmarks.page [--runs 500] [--visits 5] [--polls 50]

The app is its own process over a temporary home of made-up finished runs; Chromium visits it. Paint
times are the browser's own (`first-contentful-paint`); a poll is what an open page asks the app
(`benchmarks.visitors`), from request to answer. Compare is two systems of 2,000 segments, from the
click on its tab to the first segments, and from a click on Next to the next page. What open
pages cost a run is `benchmarks.soak`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from playwright.sync_api import Browser, expect

from benchmarks.store import fill
from benchmarks.visitors import opened
from mtlab.settings import Settings
from tests.browser import chromium, served_lab
from tests.written_systems import segments, write_run

SEGMENTS = 2000


def main() -> int:
    """Measure and print; exit status 1 when a paint takes 2 s or a poll 50 ms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--polls", type=int, default=50)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = replace(Settings.from_environment(), home=home)
        settings.runs.mkdir(parents=True)
        fill(settings, args.runs)
        with served_lab(home) as address:
            polls = asyncio.run(_polls(address, args.polls))  # before a browser runs a loop here
            with chromium() as browser:
                visits = [_visit(browser, f"{address}/?tab=runs") for _ in range(args.visits)]
        paints, matrices = zip(*visits, strict=True)
        print(f"{args.runs} finished runs, {args.visits} visits, seconds: median, worst")
        _row("first paint", paints)
        _row("matrix to be seen", matrices)
        _row("poll", polls)
        with served_lab(_written(Path(folder) / "segments")) as address, chromium() as browser:
            first, turned = _compared(browser, address, args.visits)
        print(f"two systems of {SEGMENTS:,} segments in Compare")
        _row("first view", first)
        _row("another page", turned)
    return 1 if statistics.median(paints) >= 2 or statistics.median(polls) >= 0.05 else 0


def _row(name: str, seconds: Sequence[float]) -> None:
    print(f"  {name:20} {statistics.median(seconds):6.3f} {max(seconds):6.3f}")


async def _polls(address: str, number: int) -> list[float]:
    """Seconds of polls with nothing new; the first, which brings everything, is not among them."""
    async with opened(address) as page:
        await page.poll()
        return [await page.poll() for _ in range(number)]


def _visit(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds to the first paint and until the matrix is there, with an empty cache."""
    context = browser.new_context()
    page = context.new_page()
    began = time.monotonic()
    page.goto(address)
    expect(page.locator("#matrix table").first).to_be_visible(timeout=60_000)
    matrix = time.monotonic() - began
    script = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    paint = page.evaluate(script) / 1000
    context.close()
    return paint, matrix


def _written(home: Path) -> Path:
    rows = [segments(SEGMENTS, harm, seed=number) for number, harm in enumerate((0.6, 0.2))]
    for number, lines in enumerate(rows):
        write_run(home, number, {"de-en": lines}, size=16 * (1 + number))
    return home


def _compared(browser: Browser, address: str, visits: int) -> tuple[list[float], list[float]]:
    """Seconds from the click on the tab to the first segments, and from page to page."""
    first, turned = [], []
    for _ in range(visits):
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("window.mtlabArrived === true")
        began = time.monotonic()
        page.get_by_role("tab", name="Compare", exact=True).click()
        caption = page.locator("#compare-segments caption").first
        expect(caption).to_contain_text("page 1 of 80", timeout=60_000)
        first.append(time.monotonic() - began)
        expect(page.locator("#compare-significance")).to_contain_text("BLEU", timeout=60_000)
        page.wait_for_timeout(3000)
        for number in (2, 3, 4):
            turn = page.locator(".pager").get_by_role("button", name="Next", exact=True)
            began = time.monotonic()
            turn.click()
            page.wait_for_function(
                "n => document.querySelector('#compare-segments caption').textContent"
                ".includes(`page ${n} of`)",
                arg=number,
                polling="raf",
            )
            turned.append(time.monotonic() - began)
        page.close()
    return first, turned


def app_of(home: Path) -> psutil.Process:
    """The process of the app that serves a home."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("MTLAB_HOME") == str(home) and "app.py" in process.cmdline():
                return process
        except psutil.Error:
            continue
    raise AssertionError("the app is not running")


if __name__ == "__main__":
    raise SystemExit(main())
