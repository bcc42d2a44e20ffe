"""The lab without a mouse: every control of every tab is reached with Tab, and works with keys."""

import pytest
from playwright.sync_api import expect

from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.browser import served_lab, tab_of
from tests.finished_runs import small_home

SLOW = 60_000
SHOWN = {
    "Launch": "#launch-pairs tbody tr",
    "Runs": "#matrix .cell",
    "Results": "#results-failures-chart .main-svg",
    "Compare": "#compare-segments tbody tr",
    "Translate": "#translate-examples button.example",
    "Guide": "#guide-cite",
}
"""What is there once a tab is."""

# Controls that are in sight and not switched off. A radio button is known by its value: the page
# may draw it anew.
CONTROLS = """
() => {
  const wanted = "button, a[href], input, select, textarea, summary, [role=slider], [tabindex='0']";
  const panels = [...document.querySelectorAll("[role=tabpanel]")];
  const all = [...panels.find((one) => one.checkVisibility()).querySelectorAll(wanted)];
  const known = (one) => (one.type === "radio" ? one.value : one);
  const controls = all.filter((one) =>
    one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0 &&
    !one.closest(".js-plotly-plot"));
  window.unreached = new Map(controls.map((one) => [known(one), one]));
  window.reach = () => {
    window.unreached.delete(known(document.activeElement));
    return window.unreached.size;
  };
  return controls.length;
}
"""
REACHED = "() => window.reach()"
REST = "() => [...window.unreached.values()].map((one) => one.outerHTML.slice(0, 200))"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("keys") / "home"
    small_home(RunStore(Settings.from_environment({"MTLAB_HOME": str(home)})))
    with served_lab(home) as where:
        yield where


def go_to(page, locator, limit=400):
    """Press Tab until a control has the focus."""
    for _ in range(limit):
        if locator.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {locator}")


def open_tab(page, name):
    """Go to a tab with keys alone."""
    page.evaluate("document.activeElement.blur()")
    tab = tab_of(page, name)
    go_to(page, tab)
    page.keyboard.press("Enter")
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(page.locator(SHOWN[name]).first).to_be_visible(timeout=SLOW)


@pytest.mark.same_page
@pytest.mark.parametrize("tab", SHOWN)
def test_every_control_is_reached(page, tab):
    open_tab(page, tab)
    page.wait_for_timeout(1000)
    left = count = page.evaluate(CONTROLS)
    for _ in range(3 * count + 100):
        page.keyboard.press("Tab")
        left = page.evaluate(REACHED)
        if not left:
            break
    assert not left, page.evaluate(REST)


@pytest.mark.same_page
def test_a_run_is_opened_cloned_and_changed_with_keys_alone(page):
    """From the matrix to its run, into Launch, along the slider, and to the plan of a sweep."""
    open_tab(page, "Runs")
    go_to(page, page.locator("#matrix .cell.finished").first)
    page.keyboard.press("Enter")
    expect(page.locator("#run-head h3")).to_be_focused()
    go_to(page, page.get_by_role("button", name="Clone into Launch"))
    page.keyboard.press("Enter")
    launch = tab_of(page, "Launch")
    expect(launch).to_have_attribute("aria-selected", "true")
    # The tab is there before the run's own values are.
    expect(page.locator("#launch-twins")).to_contain_text("--size 16", timeout=SLOW)
    slider = page.locator("#size-stops input[type=range]")
    expect(slider).to_have_attribute("aria-valuetext", "16")
    go_to(page, slider)
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "32")
    chip = page.locator("#train").get_by_label("fr-en", exact=True)
    go_to(page, chip)
    page.keyboard.press("Space")
    expect(page.locator("#launch-twins")).to_contain_text("--train fr-en", timeout=SLOW)
    go_to(page, page.locator("#to-sweep"))
    page.keyboard.press("Enter")
    expect(page.locator("#sweep-panel")).to_be_visible()


@pytest.mark.same_page
def test_segments_are_turned_filtered_and_saved_with_keys_alone(page):
    open_tab(page, "Compare")
    search = page.get_by_label("Text in source, reference or translation")
    go_to(page, search)
    page.keyboard.type("ferry")
    caption = page.locator("#compare-segments caption").first
    expect(caption).not_to_contain_text("16 of 16 match", timeout=SLOW)
    go_to(page, page.get_by_role("button", name="Download as CSV"))
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename.endswith(".csv")


@pytest.mark.same_page
def test_a_text_is_translated_with_keys_alone(page):
    """Nano itself answers: it is what the lab ships with."""
    open_tab(page, "Translate")
    go_to(page, page.get_by_label("Text", exact=True))
    page.keyboard.type("Das Haus ist rot.")
    go_to(page, page.get_by_role("button", name="Translate", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#translate-answers .card").first).to_be_visible(timeout=SLOW)
