"""`make screenshots`: every tab, light and dark, wide and narrow, after a first real run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from mtlab import Lab, RunSpec
from mtlab.settings import Settings
from tests.browser import ROOT, chromium, open_tab, served_lab

TABS = ("Launch", "Runs", "Results", "Compare", "Translate", "Guide")
OUTPUT = ROOT / "docs" / "screenshots"


def main() -> int:
    """Write the screenshots; returns an exit status."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        lab = Lab(Settings.from_environment({"MTLAB_HOME": str(home), "HF_HUB_OFFLINE": "1"}))
        run = lab.launch(RunSpec(base="nano", size=32, train=["de-en", "en-de"]))
        state = run.wait().state
        lab.close()
        if state != "finished":
            print(f"the run {state}:\n{run.log_tail()}", file=sys.stderr)
            return 1
        with served_lab(home) as address, chromium() as browser:
            for theme in ("light", "dark"):
                for width, suffix in ((1280, ""), (400, "-narrow")):
                    _take(browser, address, theme, width, suffix)
    return 0


def _take(browser: Browser, address: str, theme: str, width: int, suffix: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{address}/?__theme={theme}")
    expect(page.locator("#launch-pairs tbody tr").first).to_be_visible(timeout=30_000)
    for tab in TABS:
        open_tab(page, tab)
        if tab == "Runs":
            expect(page.locator("#run-chart .main-svg").first).to_be_visible(timeout=30_000)
        if tab == "Results":
            chart = page.locator("#results-failures-chart .main-svg").first
            expect(chart).to_be_visible(timeout=60_000)
            expect(page.get_by_text("testing differences")).to_be_hidden(timeout=60_000)
        if tab == "Compare":
            expect(page.locator("#compare-segments tbody tr").first).to_be_visible(timeout=30_000)
        if tab == "Translate":
            page.get_by_role("button", name="Translate", exact=True).click()
            done = page.locator("#translate-answers .card.done")
            expect(done).to_have_count(2, timeout=120_000)
        page.wait_for_timeout(1500)
        dark = "-dark" if theme == "dark" else ""
        page.screenshot(path=OUTPUT / f"{tab.lower()}{suffix}{dark}.png", full_page=suffix == "")
    page.close()


if __name__ == "__main__":
    sys.exit(main())
