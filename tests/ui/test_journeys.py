"""What a person does, in a real browser over the real app and real runs. In order: each journey
goes on from the lab as the one before left it.
"""

import re

import pytest
from playwright.sync_api import expect

from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.browser import open_tab, tab_of
from tests.real_runs import until

RUN_TIMEOUT = 500_000  # ms; a run takes about half a minute on two free cores


@pytest.fixture(scope="module")
def served_home(served_home, kept_answers):
    """A home without a run."""
    kept_answers.take(served_home)
    yield served_home
    kept_answers.give(served_home)


def launch(page):
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(tab_of(page, "Runs")).to_have_attribute("aria-selected", "true")


def choose_noise(page, kind):
    page.get_by_label("Noise", exact=True).click()
    page.get_by_role("option", name=re.compile(rf"^{kind}:")).click()


def advanced(page, **numbers):
    page.get_by_role("button", name="Advanced").click()
    for label, value in numbers.items():
        field = page.get_by_label(re.compile(rf"^\s*{label.replace('_', ' ')}\b"))
        field.fill(str(value))
        field.blur()


def test_an_empty_lab_shows_what_a_run_would_do(page):
    pairs = page.locator("#launch-pairs")
    expect(pairs).to_contain_text("training pairs: 16 de-en, 16 en-de")
    expect(pairs.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_text("mtlab run --base nano --size 32")).to_be_visible()


@pytest.mark.same_page
def test_an_empty_lab_says_one_sentence_instead_of_results(page):
    open_tab(page, "Results")
    expect(page.locator("#results-overview")).to_contain_text("No run has finished yet")
    expect(page.get_by_text("How much data does it take?")).to_have_count(0)


@pytest.mark.same_page
def test_an_empty_lab_sends_to_launch(page):
    open_tab(page, "Runs")
    expect(page.locator("#runs-empty")).to_contain_text("no runs yet")
    page.locator("#runs-empty a").click()
    launch = tab_of(page, "Launch")
    expect(launch).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("tab=launch"))


def test_a_tab_chosen_while_the_page_still_loads_stays_chosen(browser, address):
    context = browser.new_context()
    page = context.new_page()
    held, arrived = [], []

    def hold(route):
        if arrived:
            route.continue_()
        else:
            held.append(route)

    page.route("**/queue/join*", hold)
    page.goto(address)
    open_tab(page, "Compare")
    assert held
    arrived.append(True)
    for route in held:
        route.continue_()
    page.wait_for_function("window.mtlabArrived === true")
    page.wait_for_timeout(500)
    chosen = tab_of(page, "Compare")
    expect(chosen).to_have_attribute("aria-selected", "true")
    context.close()


@pytest.mark.same_page
def test_enter_takes_the_size_that_was_typed(page):
    size = page.get_by_label("Training pairs", exact=True)
    caption = page.locator("#launch-pairs caption")
    expect(caption).to_contain_text("of 32 training pairs")
    size.click()
    size.press("Control+a")
    size.press_sequentially("8")
    size.press("Enter")
    expect(size).to_have_value("8")
    expect(caption).to_contain_text("of 8 training pairs")
    stops = page.get_by_label("Size, in stops")
    stops.focus()
    stops.press("ArrowRight")
    expect(size).to_have_value("16")
    expect(caption).not_to_contain_text("of 8 training pairs")


@pytest.mark.same_page
def test_noise_is_marked_in_the_preview(page):
    marks = page.locator("#launch-pairs mark")
    choose_noise(page, "Word")
    expect(marks.first).to_be_visible()
    expect(page.get_by_text("Dictionary in the MUSE format")).to_be_visible()
    choose_noise(page, "Typo")
    expect(page.get_by_text("Dictionary in the MUSE format")).not_to_be_visible()
    expect(marks.first).to_be_visible()
    expect(page.get_by_text("--noise typo")).to_be_visible()


def test_sentence_noise_asks_for_a_translator_and_shows_what_it_makes(page):
    expect(page.get_by_label("Translator", exact=True)).not_to_be_visible()
    choose_noise(page, "Sentence")
    problem = page.locator("#launch-problem")
    expect(problem).to_contain_text("no run has finished yet: start one, or name a base")
    translator = page.get_by_label("Translator", exact=True)
    translator.fill("nano")
    translator.press("Enter")
    expect(page.locator("#launch-pairs mark").first).to_be_visible(timeout=90_000)


def test_a_system_that_is_not_trained_asks_for_what_it_needs_alone(page):
    page.locator("#method").get_by_label("Few-shot").check()
    expect(page.locator("#train")).to_be_hidden()
    expect(page.locator("#launch-problem")).to_contain_text("no test direction is given")
    page.locator("#test").get_by_label("de-en").check()
    expect(page.locator("#launch-pairs")).to_contain_text("Examples the model is shown: 3 de-en")
    page.locator("#method").get_by_label("As it is").check()
    expect(page.locator("#launch-pairs")).to_contain_text("Nothing is trained")
    page.locator("#method").get_by_label("LoRA").check()
    expect(page.locator("#train")).to_be_visible()
    expect(page.locator("#launch-pairs")).to_contain_text("training pairs")


@pytest.mark.same_page
def test_a_bad_value_is_said_before_and_at_launch_and_nothing_is_lost(page):
    for direction in ("de-en", "en-de"):
        page.locator("#train").get_by_label(direction, exact=True).uncheck()
    problem = "no training direction is chosen"
    expect(page.locator("#launch-problem")).to_contain_text(problem)
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_role("status").last).to_contain_text(problem)
    page.locator("#train").get_by_label("fr-en", exact=True).check()
    expect(page.locator("#launch-pairs")).to_contain_text("32 fr-en")


def test_launch_is_all_it_takes_and_a_closed_page_loses_nothing(page, browser, served_home):
    launch(page)
    expect(page).to_have_url(re.compile(r"run=\d{8}-\d{6}-[0-9a-f]+"))
    where = page.url
    page.close()
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(served_home)}))
    [run] = store.list()
    until(lambda: store.status(run.id).is_over)  # no page is open while it runs

    again = browser.new_page()
    again.goto(where)
    expect(again.locator("#run-state")).to_contain_text("finished")
    headline = again.locator("#run-scores .headline")
    expect(headline).to_have_text(re.compile(r"32 sentence pairs took BLEU on de-en from"))
    expect(again.locator("#run-scores")).to_contain_text("nrefs:1|")
    expect(again.locator("#run-scores")).to_contain_text("COMET is not available")
    expect(again.locator("#run-chart .main-svg").first).to_be_visible()
    cell = again.get_by_role("button", name="32 pairs, de-en en-de, clean: BLEU")
    expect(cell).to_have_attribute("aria-label", re.compile(r"BLEU \d+\.\d, finished$"))
    again.close()


def test_base_and_run_are_read_side_by_side(page):
    open_tab(page, "Compare")
    segments = page.locator("#compare-segments")
    expect(segments.locator("tbody tr")).to_have_count(25)
    expect(segments).to_contain_text("Segments de-en, page 1 of")
    page.get_by_label("Page", exact=True).fill("2")
    page.get_by_label("Page", exact=True).blur()
    expect(segments).to_contain_text("page 2 of")


@pytest.mark.same_page
def test_a_sentence_is_translated_live_by_both(page):
    open_tab(page, "Translate")
    expect(page.locator("#translate-models .token")).to_have_count(2)  # the run is offered, too
    cards = page.locator("#translate-answers .card")
    page.get_by_label("Text", exact=True).fill("Das Wetter ist heute schön.")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(cards).to_have_count(2, timeout=90_000)  # both models are loaded first
    expect(cards.nth(1).locator(".answer")).to_have_text(re.compile(r"\w+"), timeout=90_000)


@pytest.mark.same_page
def test_a_run_is_stopped_and_kept(page):
    open_tab(page, "Launch")
    advanced(page, Optimizer_steps=5000)
    launch(page)
    state = page.locator("#run-state")
    expect(state).to_contain_text("train", timeout=RUN_TIMEOUT)
    page.get_by_role("button", name="Stop and keep").click()
    expect(state).to_contain_text("stopped", timeout=RUN_TIMEOUT)
    expect(page.get_by_role("button", name="Stop and keep")).to_have_count(0)
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()


def test_a_narrow_screen_needs_no_sideways_scrolling(browser, address):
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(address)
    for tab in ("Runs", "Results", "Compare", "Translate", "Guide", "Launch"):
        open_tab(page, tab)
        page.wait_for_timeout(300)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 400, f"{tab} is {width} px wide"
    # A caption does not grow with a table that has to scroll.
    caption = page.locator("#launch-pairs caption span")
    caption.wait_for()
    page.locator("#launch-pairs table").evaluate("table => table.style.width = '900px'")
    box = caption.bounding_box()
    assert box["width"] > 200 and box["x"] + box["width"] <= 400
    page.close()
