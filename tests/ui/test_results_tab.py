"""The Results and Guide tabs in a real browser, over finished runs that were written by hand."""

import re

import pytest
from playwright.sync_api import expect

from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.ui.guide_text import CONTENTS
from tests.browser import open_tab, served_lab, tab_of
from tests.finished_runs import finished_run, small_home

SLOW = 120_000  # ms; differences are tested in a process of their own
IMAGE = "<img src=x onerror=__hit=1>"


def store_of(home):
    return RunStore(Settings.from_environment({"MTLAB_HOME": str(home)}))


@pytest.fixture(scope="module")
def served_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("results") / "home"
    store = store_of(home)
    small_home(store)
    finished_run(
        store, {"de-en": 0.3}, segments=16, seed=9, size=16, comet=True,
        name=IMAGE, group=f"{IMAGE} {{{{value}}}} ${{__hit=2}}",
    )  # fmt: skip
    return home


@pytest.fixture(scope="module")
def address(served_home):
    with served_lab(served_home) as where:
        yield where


@pytest.fixture
def page(page):
    """A page that must never have run any of the text it showed."""
    yield page
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert page.evaluate("typeof window.__hit") == "undefined"


def open_results(page):
    open_tab(page, "Results")
    expect(page.locator("#results-size-chart .main-svg").first).to_be_visible(timeout=SLOW)


def findings_are_there(page):
    expect(page.locator("#results-tested")).to_contain_text("(Holm)", timeout=SLOW)


def choose(page, label, option):
    field = page.get_by_label(label, exact=True)
    field.click()
    page.get_by_role("option", name=option).first.click()


def test_plots_come_first_and_their_findings_follow(page):
    open_results(page)
    for name in ("transfer", "noise", "failures"):
        expect(page.locator(f"#results-{name}-chart .main-svg").first).to_be_visible()
        expect(page.locator(f"#results-{name}-summary")).to_have_text(re.compile(r"\w+"))
    expect(page.locator("#results-overview")).to_contain_text("13 finished runs")
    expect(page.locator("#results-overview")).to_contain_text("BLEU: nrefs:1|")
    findings_are_there(page)
    said = page.locator("#results-noise-findings li").first
    expect(said).to_contain_text("95% interval")
    expect(page.locator("#results-failures-findings")).to_contain_text("English as the only target")
    numbers = page.locator("#results-size-numbers")
    numbers.get_by_text("The numbers").click()
    expect(numbers.get_by_role("cell", name=re.compile("2 seeds")).first).to_be_visible()


def test_findings_that_were_made_are_there_at_once_for_the_next_visitor(page):
    open_results(page)
    expect(page.locator("#results-tested")).to_contain_text("(Holm)", timeout=10_000)


@pytest.mark.same_page
@pytest.mark.parametrize("ending, begins", [("csv", b"id,name,"), ("html", b"<!doctype html>")])
def test_the_whole_is_saved_as_a_file(page, ending, begins):
    open_results(page)
    with page.expect_download(timeout=SLOW) as saved:
        page.locator(f"#mtlab-results-{ending}").click()
    assert saved.value.suggested_filename == f"mtlab-results.{ending}"
    with open(saved.value.path(), "rb") as file:
        assert file.read(40).startswith(begins)


@pytest.mark.same_page
@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_plot_is_saved_as_a_picture(page, kind):
    open_results(page)
    with page.expect_download(timeout=SLOW) as saved:
        page.locator("#results-size-chart").locator(f"[data-format={kind.lower()}]").click()
    assert saved.value.suggested_filename == f"mtlab-size.{kind.lower()}"


@pytest.mark.same_page
def test_a_run_is_opened_and_two_are_compared(page):
    open_results(page)
    page.get_by_role("button", name="The runs behind these results").click()
    runs = page.locator("#results-runs-behind")
    expect(runs.locator("tbody tr")).to_have_count(13)
    expect(runs).to_contain_text(IMAGE)
    runs.locator("button[data-open]").nth(1).click()
    expect(tab_of(page, "Runs")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("run="))
    open_tab(page, "Results")
    boxes = runs.get_by_role("checkbox")
    boxes.nth(1).check()
    boxes.nth(2).check()
    runs.get_by_role("button", name="Compare the ticked runs").click()
    expect(tab_of(page, "Compare")).to_have_attribute("aria-selected", "true")


@pytest.mark.same_page
def test_the_keyboard_reaches_the_segments_behind_a_sentence(page):
    open_results(page)
    findings_are_there(page)
    button = page.locator("#results-noise-findings").get_by_role("button").first
    button.focus()
    page.keyboard.press("Enter")
    expect(tab_of(page, "Compare")).to_have_attribute("aria-selected", "true")


@pytest.mark.same_page
def test_filters_leave_what_was_chosen(page):
    open_results(page)
    choose(page, "Sweep", "noise")
    expect(page.locator("#results-overview")).to_contain_text("4 finished runs", timeout=SLOW)
    expect(page.locator("#results-size-summary")).to_contain_text("the sweep paper/size makes them")
    expect(page.locator("#results-size-chart .main-svg")).to_have_count(0)
    choose(page, "Sweep", "All")
    expect(page.locator("#results-overview")).to_contain_text("13 finished runs", timeout=SLOW)
    expect(page.locator("#results-size-chart .main-svg").first).to_be_visible()


@pytest.mark.same_page
def test_the_heatmap_shows_scores_percent_or_off_target(page):
    open_results(page)
    chart = page.locator("#results-transfer-chart")
    for choice, unit in (("% of all directions", "%"), ("Share off-target", "off-target")):
        page.get_by_label(choice, exact=True).check()
        expect(chart.locator(".cbtitle")).to_have_text(unit, timeout=SLOW)
    expect(page.locator("#results-paper-transfer-chart .main-svg").first).to_be_visible()


@pytest.mark.same_page
def test_what_has_finished_since_is_seen_when_the_tab_is_opened_again(page, served_home):
    open_results(page)
    overview = page.locator("#results-overview")
    before = int(re.match(r"\d+", overview.inner_text())[0])
    finished_run(store_of(served_home), {"de-en": 0.3}, segments=16, seed=before, size=16)
    open_tab(page, "Launch")
    open_tab(page, "Results")
    expect(overview).to_contain_text(f"{before + 1} finished runs", timeout=SLOW)
    finished_run(store_of(served_home), {"de-en": 0.3}, segments=16, seed=before + 1, size=16)
    page.get_by_role("button", name="Look again").click()
    expect(overview).to_contain_text(f"{before + 2} finished runs", timeout=SLOW)


@pytest.mark.same_page
def test_the_paper_stands_on_its_own_axis_but_for_its_own_metric(page):
    open_results(page)
    expect(page.locator("#results-paper-size-chart .main-svg").first).to_be_visible()
    size = page.locator("#results-size-chart")
    expect(size.locator(".ytitle")).to_have_text("BLEU")
    expect(size).not_to_contain_text("the paper")
    page.get_by_label("COMET", exact=True).check()
    expect(size.locator(".ytitle")).to_have_text("COMET", timeout=SLOW)
    expect(size.locator(".legend")).to_have_count(1)
    expect(page.locator("#results-size-numbers")).to_contain_text("compare the shape")
    page.get_by_label("gated COMET", exact=True).check()
    expect(size.locator(".ytitle")).to_have_text("gated COMET", timeout=SLOW)
    expect(page.locator("#results-size-numbers")).not_to_contain_text("compare the shape")
    expect(page.locator("#results-metric")).to_contain_text("counts zero")


@pytest.mark.same_page
def test_the_guide_has_every_section_and_a_way_to_cite(page):
    open_tab(page, "Guide")
    for name, title in CONTENTS:
        expect(page.locator(f"#guide-{name}")).to_have_text(title)
    page.get_by_role("link", name="How to cite").click()
    expect(page.locator("#guide-bibtex")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("#guide-cite$"))
    expect(page.locator("#guide-bibtex")).to_contain_text("zhu-etal-2024-fine")
    expect(
        page.locator("#guide-bibtex").get_by_role("button", name=re.compile("[Cc]opy"))
    ).to_be_visible()


@pytest.mark.parametrize(("theme", "first"), [("light", "results"), ("dark", "guide")])
def test_the_address_opens_a_tab_and_a_narrow_screen_needs_no_sideways_scrolling(
    browser, address, theme, first
):
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(f"{address}/?__theme={theme}&tab={first}")

    def results():
        for name in ("size", "failures"):
            chart = page.locator(f"#results-{name}-chart .main-svg").first
            expect(chart).to_be_visible(timeout=SLOW)
        for summary in page.get_by_text("The numbers", exact=True).all():
            summary.click()

    def guide():
        expect(page.locator("#guide-cite")).to_be_visible(timeout=SLOW)

    looks = {"results": results, "guide": guide}
    looks.pop(first)()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    ((other, look),) = looks.items()
    open_tab(page, other.capitalize())
    look()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()
