import pytest
from playwright.sync_api import expect

from tests.browser import Visits, chromium, served_lab

expect.set_options(timeout=30_000)  # a page that shares two cores with a run answers late

FAILED = pytest.StashKey[bool]()
"""Whether a test has failed since a page was last asked for."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        item.config.stash[FAILED] = True
    return report


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def served_home(tmp_path_factory):
    """A home that is empty when the module's first test opens its lab."""
    return tmp_path_factory.mktemp("served") / "home"


@pytest.fixture(scope="module")
def address(served_home):
    """A served lab over that home."""
    with served_lab(served_home) as where:
        yield where


@pytest.fixture(scope="module")
def visits(browser):
    with Visits(browser) as visits:
        yield visits


@pytest.fixture
def page(visits, address, request):
    """A visitor's page of the lab; any error in the page's own script fails the test.

    Fresh, unless the test is marked `same_page`: then it is the page of the test before, as that
    has left it. Such a test must pass on a fresh page as well: it gets one when it is run alone, or
    when the test before has failed.
    """
    goes_on = request.node.get_closest_marker("same_page") is not None
    if not goes_on or request.config.stash.get(FAILED, False):
        visits.leave()
    request.config.stash[FAILED] = False
    visits.arrive(address)
    yield visits.page
    faults = visits.faults()
    assert not faults, faults
