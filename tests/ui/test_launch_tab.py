"""The Launch tab in a real browser. One real run: the demonstration, last."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import open_tab, tab_of, unfold

RUN_TIMEOUT = 500_000  # ms


def labelled(page, label):
    """A field by the beginning of its label; what it is for stands in the label too."""
    return page.get_by_label(re.compile(rf"^\s*{label}"))


def launch(page):
    return page.get_by_role("button", name="Launch", exact=True)


@pytest.fixture(scope="module")
def served_home(served_home, kept_answers):
    """A home without a run."""
    kept_answers.take(served_home)
    yield served_home
    kept_answers.give(served_home)


@pytest.fixture
def page(page):
    """The page once it has told what the untouched form would do."""
    expect(page.locator("#launch-pairs tbody tr").first).to_be_visible()
    return page


def test_what_every_run_needs_fits_on_one_screen(page):
    for needed in ("#base", "#method", "#size-stops", "#train", "#noise-kind", "#seed", "#test"):
        box = page.locator(needed).bounding_box()
        assert box["y"] + box["height"] <= 900, needed
    expect(launch(page)).to_be_in_viewport()
    expect(page.locator("#noise-side")).to_be_hidden()
    # The outlook stays in sight beside the open form.
    page.get_by_role("button", name="Advanced").click()
    page.locator("#lora-rank").scroll_into_view_if_needed()
    expect(launch(page)).to_be_in_viewport()


COVERED = """() => [...document.querySelectorAll('#launch-form :is(input, textarea, button)')]
  .filter(one => one.checkVisibility({visibilityProperty: true}) && one.type !== 'file')
  .filter(one => {
    one.scrollIntoView({block: 'center', behavior: 'instant'});
    const box = one.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return !(one.closest('.block') || one).contains(hit);
  })
  .map(one => one.getAttribute('aria-label') || one.closest('[id]').id)
"""


@pytest.mark.same_page
def test_no_field_lies_over_another(page):
    unfold(page, "Advanced", "#corpus input")
    assert page.evaluate(COVERED) == []


@pytest.mark.same_page
def test_the_slider_has_a_stop_for_every_size_and_takes_the_keyboard(page):
    size = page.get_by_label("Training pairs", exact=True)
    slider = page.get_by_label("Size, in stops")
    labels = page.locator("#size-stops [data-stop]")
    expect(labels).to_have_text(["16", "32", "64", "128", "256", "512", "1024", "all"])
    slider.focus()
    slider.press("ArrowRight")
    expect(size).to_have_value("64")
    expect(slider).to_have_attribute("aria-valuetext", "64")
    size.fill("100")
    slider.press("ArrowLeft")
    expect(size).to_have_value("64")
    page.locator("#size-stops [data-stop=all]").click()
    expect(size).to_have_value("all")
    expect(page.locator("#size-field-hint")).to_have_text(re.compile(r"^[\d,]+ pairs$"))
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^all: [\d,]+ pairs$"))
    # Fewer directions have fewer pairs, and fewer stops.
    page.locator("#train").get_by_label("en-de").uncheck()
    expect(labels).to_have_text(["16", "32", "64", "128", "256", "512", "all"])


@pytest.mark.same_page
def test_a_bad_value_is_said_beside_its_field_and_launch_leads_there(page):
    size = page.get_by_label("Training pairs", exact=True)
    size.fill("lots")
    expect(page.locator("#size-field-problem")).to_contain_text("'lots' cannot be used")
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_have_attribute("aria-describedby", "size-field-problem")
    size.fill("64")
    expect(page.locator("#size-field-problem")).to_have_count(0)

    unfold(page, "Advanced", "#corpus input")
    rate = labelled(page, "Learning rate")
    expect(rate).to_have_attribute("placeholder", "0.0003")  # what it is for this run
    rate.fill("7")
    problem = page.locator("#learning-rate-field-problem")
    expect(problem).to_contain_text("7 is out of range")
    page.get_by_role("button", name="Advanced").click()
    expect(rate).to_be_hidden()
    launch(page).click()
    expect(page.get_by_role("status").last).to_contain_text("7 is out of range")
    expect(problem).to_be_visible()
    expect(rate).to_be_focused()
    expect(rate).to_have_value("7")
    expect(tab_of(page, "Launch")).to_have_attribute("aria-selected", "true")


def test_shortcuts_choose_directions(page):
    train, test = page.locator("#train input:checked"), page.locator("#test input:checked")
    page.get_by_role("button", name="All: training directions").click()
    expect(train).to_have_count(12)
    page.get_by_role("button", name="Into English: training directions").click()
    expect(train).to_have_count(3)
    page.get_by_role("button", name="One: training directions").press("Enter")
    expect(page.locator("#launch-pairs caption")).to_contain_text("32 de-en")
    expect(train).to_have_count(1)
    page.get_by_role("button", name="All: test directions").click()
    expect(test).to_have_count(12)
    page.get_by_role("button", name="As trained: test directions").click()
    expect(test).to_have_count(0)


@pytest.mark.same_page
def test_the_same_run_is_there_to_copy_as_a_file(page):
    page.get_by_label("Seeds").fill("3 seeds")
    expect(page.locator("#seed-field-hint")).to_have_text("3 seeds: 0, 1, 2")
    expect(page.get_by_role("button", name="Launch 3 runs")).to_be_visible()
    open_tab(page, "As YAML")
    expect(page.locator("#launch-twins")).to_contain_text("seeds:")


@pytest.mark.same_page
def test_the_paper_is_reproduced_after_a_question(page):
    page.get_by_label("Seeds").fill("3 seeds")
    page.get_by_role("button", name="Reproduce the paper").click()
    cards = page.locator("#paper-cards article")
    expect(cards).to_have_count(9)
    expect(cards.first).to_contain_text("30 runs")
    cards.first.get_by_role("button", name="Start").click()
    expect(cards.first).to_contain_text("Start them all?")
    cards.first.get_by_role("button", name="No").click()
    expect(cards.first).not_to_contain_text("Start them all?")
    page.get_by_role("button", name="Reproduce the paper").click()
    expect(cards.first).to_be_hidden()


def test_a_sweep_is_planned_before_it_is_launched(page):
    page.get_by_role("button", name="Launch as a sweep").click()
    plan = page.locator("#sweep-plan")
    expect(plan).to_contain_text("6 runs")
    axes = page.locator("#sweep-knobs")
    axes.get_by_label("Noise kind").check()
    axes.get_by_label("Noise side").check()
    expect(plan).to_contain_text("18 runs")  # clean, and word noise on each side
    page.get_by_label("Sizes").fill("16, lots")
    expect(plan).to_contain_text("'16, lots' cannot be used")
    page.get_by_label("Sizes").fill("16")
    expect(page.get_by_role("button", name="Launch 3 runs")).to_be_visible()
    # What is asked for in the form is what the sweep is made of.
    page.locator("#train").get_by_label("de-en").uncheck()
    page.get_by_role("button", name="The same sweep").click()
    expect(page.locator("#sweep-panel .cm-content").last).to_contain_text("- en-de")


def test_launch_is_in_reach_on_a_narrow_screen(browser, address):
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(address)
    expect(page.locator("#launch-pairs tbody tr").first).to_be_visible()
    expect(launch(page)).to_be_in_viewport()
    page.locator("#launch-pairs").scroll_into_view_if_needed()
    expect(launch(page)).to_be_in_viewport()
    page.get_by_role("button", name="Advanced").click()
    page.get_by_role("button", name="Launch as a sweep").click()
    expect(page.locator("#sweep-plan")).to_contain_text("6 runs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


def test_an_empty_lab_greets_and_walks_along_with_its_first_run(page, address, browser):
    walk = page.locator("#walk .walk")
    expect(walk).to_have_count(0)
    page.get_by_role("button", name="Run the 60-second demonstration").click()
    expect(tab_of(page, "Runs")).to_have_attribute("aria-selected", "true")
    expect(walk).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]demo=1"))
    other = browser.new_page()
    other.goto(address)  # another visitor is left alone, and needs no greeting now
    expect(other.locator("#launch-pairs tbody tr").first).to_be_visible()
    expect(other.locator("#greeting")).to_be_hidden()
    expect(other.locator("#walk .walk")).to_have_count(0)
    other.close()

    page.reload()
    expect(walk).to_be_visible()
    open_tab(page, "Translate")
    expect(walk).to_be_visible()
    expect(walk).to_contain_text("took BLEU on de-en from", timeout=RUN_TIMEOUT)
    walk.get_by_role("button", name="Read both side by side").click()
    expect(tab_of(page, "Compare")).to_have_attribute("aria-selected", "true")
    walk.get_by_role("button", name="Do it again with noise").click()
    expect(tab_of(page, "Launch")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#launch-pairs mark").first).to_be_visible()
    expect(page.locator("#noise-side")).to_be_visible()
    expect(page.locator("#launch-facts")).to_contain_text(re.compile(r"About .* on this machine"))
    walk.get_by_role("button", name="Close").click()
    expect(walk).to_have_count(0)
    expect(page).not_to_have_url(re.compile("demo=1"))
