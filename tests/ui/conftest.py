import pytest
from playwright.sync_api import expect

from tests.browser import chromium, served_lab

expect.set_options(timeout=30_000)  # a page that shares two cores with a run answers late


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A served lab whose home is empty when the module's first test opens it."""
    with served_lab(tmp_path_factory.mktemp("served") / "home") as where:
        yield where


@pytest.fixture
def page(browser, address):
    """A visitor's fresh page of the lab; any error in the page's own script fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(address)
    opened.get_by_role("heading", name="mtlab").wait_for()
    opened.wait_for_function("window.mtlabArrived === true")
    yield opened
    context.close()
    assert not faults, faults
