"""Every text of every tab can be read, light and dark: WCAG's contrast, as it is seen."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.browser import open_tab, served_lab
from tests.finished_runs import small_home
from tests.ui.test_keyboard import SHOWN, SLOW

LEAST = 4.5  # of WCAG's level AA
UNREADABLE = (Path(__file__).parent / "unreadable.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("contrast") / "home"
    small_home(RunStore(Settings.from_environment({"MTLAB_HOME": str(home)})))
    with served_lab(home) as where:
        yield where


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(browser, address, theme):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/?__theme={theme}")
    page.wait_for_function("window.mtlabArrived === true")
    pale = {}
    for tab, there in SHOWN.items():
        open_tab(page, tab)
        expect(page.locator(there).first).to_be_visible(timeout=SLOW)
        page.wait_for_timeout(1500)
        pale[tab] = page.evaluate(UNREADABLE, LEAST)
    page.close()
    assert {tab: found for tab, found in pale.items() if found} == {}
