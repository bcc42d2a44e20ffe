"""The Runs tab in a real browser, over runs written by hand: nothing is trained here."""

import re

import pytest
from playwright.sync_api import expect

from mtlab.runs.events import EventLog
from tests.browser import open_tab, served_lab, tab_of, unfold
from tests.written_runs import MEMORY_RAN_OUT, written_home

TESTED = ["de-en", "en-de"]
WORD = {"kind": "word", "side": "target"}
HOSTILE = "<img src=x onerror=__hit=1> {{constructor.constructor('__hit=2')()}} \u202egnihton\u202c"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with written_home(tmp_path_factory.mktemp("runs") / "home") as home:
        yield home


@pytest.fixture(scope="module")
def runs(home):
    """The lab that all tests here look at; the last ones take from it."""
    made = {
        f"seed{seed}": home.run(
            train=TESTED, test=TESTED, seed=seed, bleu={"de-en": 10.0 + seed, "en-de": 20.0 + seed}
        )
        for seed in (0, 1, 2)
    }
    both = {"test": TESTED, "train": ["en-de"]}
    made["noisy"] = home.run(**both, bleu={"de-en": 3.0, "en-de": 6.0}, noise=WORD)
    made["lora"] = home.run(**both, bleu={"de-en": 9.0, "en-de": 9.0}, training={"method": "lora"})
    made["failed"] = home.run(
        **both, size=64, state="failed", phase="train", progress=0.4, error=MEMORY_RAN_OUT
    )
    made["doomed"] = home.run(**both, size=512, bleu={"de-en": 1.0, "en-de": 1.0}, name="doomed")
    made["spare"] = home.run(**both, size=16, state="stopped", progress=0.5, name=HOSTILE)
    made["running"] = home.run(
        **both, size=256, state="running", phase="train", progress=0.4, steps=6, probes=(3, 6)
    )
    for number in (1, 2, 3):
        name = f"waiting {number}"
        made[f"queued{number}"] = home.run(**both, seed=number, state="queued", name=name)
    return made


@pytest.fixture(scope="module")
def address(home, runs):
    with served_lab(home.settings.home) as where:
        yield where


@pytest.fixture
def page(page):
    """A visitor in the Runs tab, whose page must never run any text it shows."""
    open_tab(page, "Runs")
    page.get_by_label("Search the runs").fill("")
    expect(cell(page, "32 pairs, de-en en-de, clean")).to_be_visible()
    yield page
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert page.evaluate("typeof window.__hit") == "undefined"


def cell(page, words):
    return page.locator(f'#matrix button[aria-label^="{words}"]')


def visit(page, run):
    """Open a run from the list. That its address opens it as well, second browsers see below."""
    page.locator(f'#run-list [data-click="open"][data-value="{run}"]').click()
    expect(page.locator("#run-head code")).to_have_text(run)


def heading(page):
    return page.locator("#run-head h3")


def test_a_cell_is_the_mean_over_seeds_and_opens_its_runs(page, runs):
    found = cell(page, "32 pairs, de-en en-de, clean")
    expect(found).to_have_attribute(
        "aria-label", "32 pairs, de-en en-de, clean: BLEU 16.0, 3 seeds"
    )
    expect(found).to_contain_text("16.0")
    found.click()
    expect(page.locator("#run-head code")).to_have_text(runs["seed2"])
    expect(page).to_have_url(re.compile(f"run={runs['seed2']}"))
    expect(heading(page)).to_be_focused()
    expect(heading(page)).to_be_in_viewport()
    expect(found).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Open the run of seed 0, finished").click()
    expect(page.locator("#run-head code")).to_have_text(runs["seed0"])
    expect(page.locator("#run-scores")).to_contain_text("nrefs:1|")


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.same_page
def test_what_one_visitor_chooses_disturbs_no_other_not_even_in_the_same_browser(page, runs):
    other = page.context.new_page()
    other.goto(page.url)
    cell(other, "32 pairs, en-de, word noise, target").click()
    expect(other.locator("#run-head code")).to_have_text(runs["noisy"])
    expect(heading(other)).to_be_focused()  # the page has begun to scroll there
    choose(other, "Tested direction", "de-en")
    expect(cell(other, "32 pairs, en-de, word noise, target: BLEU 3.0")).to_be_visible()
    other.get_by_label("Search the runs").fill("waiting")
    page.wait_for_timeout(2000)  # a poll of each
    expect(page.locator("#run-head code")).not_to_have_text(runs["noisy"])
    expect(cell(page, "32 pairs, en-de, word noise, target: BLEU 4.5")).to_be_visible()
    expect(page.locator("#run-list caption")).to_contain_text("12 runs")
    expect(other.locator("#run-list caption")).to_contain_text("3 of 12 runs")
    other.close()


@pytest.mark.same_page
def test_an_empty_cell_leads_to_launch(page):
    cell(page, "Launch 128 pairs, en-de, clean").click()
    launch = tab_of(page, "Launch")
    expect(launch).to_have_attribute("aria-selected", "true")


@pytest.mark.same_page
def test_the_matrix_is_used_with_the_keyboard_alone(page, runs):
    cell(page, "Launch 16 pairs, de-en en-de, clean").focus()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "32 pairs, de-en en-de, clean")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "64 pairs, en-de, clean: failed")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#run-head code")).to_have_text(runs["failed"])


@pytest.mark.same_page
def test_buttons_are_there_where_they_can_be_used(page, runs):
    actions = page.locator("#run-actions")
    visit(page, runs["failed"])
    expect(page.locator("#run-error")).to_contain_text("CUDA out of memory")
    expect(page.locator("#run-error")).to_contain_text("use a smaller batch")
    expect(actions.get_by_role("button")).to_have_text(
        ["Resume", "Halve the batch and launch again", "Clone into Launch", "Delete"]
    )
    visit(page, runs["seed0"])
    expect(actions.get_by_role("button")).to_have_text(["Clone into Launch", "Compare", "Delete"])
    visit(page, runs["queued1"])
    expect(actions.get_by_role("button")).to_have_text(
        ["Stop and keep", "Stop and discard", "Clone into Launch"]
    )


@pytest.mark.same_page
def test_memory_that_ran_out_is_answered_with_half_the_batch(page, runs):
    visit(page, runs["failed"])
    page.get_by_role("button", name="Halve the batch and launch again").click()
    expect(page.locator("#run-state")).to_contain_text("queued, number 4 in the queue")
    expect(page.locator("#run-head code")).not_to_have_text(runs["failed"])
    unfold(page, "As launched", "#run-spec")
    expect(page.locator("#run-spec")).to_contain_text("batch_size: 8")
    expect(page.locator("#run-spec")).to_contain_text("accumulation: 2")
    page.get_by_role("button", name="Stop and discard").click()
    page.locator("#run-confirm").get_by_role("button", name="Yes, remove").click()
    expect(page.locator("#run-head")).to_contain_text("is not there any more")


@pytest.mark.same_page
def test_the_queue_is_reordered_and_cancelled(page):
    names = [f"waiting {number}" for number in (1, 2, 3)]
    waiting = page.locator("#run-queue button.link").filter(has_text="waiting")
    expect(waiting).to_have_text(names)
    page.get_by_role("button", name="First: waiting 3").click()
    expect(waiting).to_have_text(["waiting 3", "waiting 1", "waiting 2"])
    page.get_by_role("button", name="Up: waiting 2").click()
    expect(waiting).to_have_text(["waiting 3", "waiting 2", "waiting 1"])
    for name, rest in (("waiting 2", ["waiting 3", "waiting 1"]), ("waiting 3", ["waiting 1"])):
        page.get_by_role("button", name=f"Cancel {name}").click()
        expect(waiting).to_have_text(rest)
    page.get_by_role("button", name="Cancel waiting 1").click()
    expect(waiting).to_have_count(0)


@pytest.mark.same_page
def test_a_running_run_is_followed_by_two_browsers_and_its_chart_keeps_its_zoom(
    page, browser, address, home, runs
):
    run = runs["running"]
    visit(page, run)
    second = browser.new_context().new_page()
    second.goto(f"{address}?run={run}")
    for one in (page, second):
        expect(one.locator("#run-state")).to_contain_text("running")
        expect(one.locator("#run-state")).to_contain_text("train")
        expect(one.locator("#run-state")).to_contain_text("left")
        expect(one.locator("#run-state")).to_contain_text("900 target tokens/s")
        expect(one.locator("#run-chart .main-svg").first).to_be_visible()
    page.evaluate(
        "Plotly.relayout(document.querySelector('#run-chart .live-chart'), {'xaxis.range': [2, 5]})"
    )
    samples = page.locator("#run-samples")
    expect(samples).to_contain_text("At step 6")
    page.locator("#run-step").get_by_label("3", exact=True).check()
    expect(samples).to_contain_text("At step 3")

    log = EventLog(home.folder(run) / "events.jsonl")
    log.append("step", step=9, steps=12, loss=0.25, tokens_per_second=950.0, memory_mb=810)
    log.append("probe", step=9, steps=12, bleu=9.0, chrf=44.0, n=3)
    log.append(
        "sample", step=9, direction="de-en", source="x", reference="y", hypothesis="At step 9"
    )
    home.change(run, progress=0.7)
    for one in (page, second):
        expect(cell(one, "256 pairs, en-de, clean: running 70%")).to_be_visible()
        expect(one.locator("#run-chart-summary")).to_contain_text("chrF 44.0")
    shown = page.evaluate("document.querySelector('#run-chart .live-chart').layout.xaxis.range")
    assert shown == [2, 5]
    expect(samples).to_contain_text("At step 3")  # the visitor's choice
    expect(second.locator("#run-samples")).to_contain_text("At step 9")  # the newest

    home.finish(run, {"de-en": 30.0, "en-de": 40.0})
    for one in (page, second):
        expect(cell(one, "256 pairs, en-de, clean: BLEU 35.0, finished")).to_be_visible()
        expect(one.locator("#run-scores .headline")).to_contain_text("256 sentence pairs took BLEU")
        expect(one.get_by_role("button", name="Stop and keep")).to_have_count(0)
        expect(one.get_by_role("button", name="Delete", exact=True).first).to_be_visible()
    second.context.close()


@pytest.mark.same_page
def test_a_run_goes_on_into_launch_and_compare(page, runs):
    visit(page, runs["seed0"])
    page.locator("#run-actions").get_by_role("button", name="Compare").click()
    compare = tab_of(page, "Compare")
    expect(compare).to_have_attribute("aria-selected", "true")
    open_tab(page, "Runs")
    page.get_by_role("button", name="Clone into Launch").click()
    launch = tab_of(page, "Launch")
    expect(launch).to_have_attribute("aria-selected", "true")


@pytest.mark.same_page
def test_what_a_run_was_made_from_is_there(page, runs):
    visit(page, runs["seed0"])
    unfold(page, "As launched", "#run-command")
    expect(page.locator("#run-command")).to_contain_text("mtlab run --base nano --size 32")
    unfold(page, "Provenance", "#run-provenance")
    expect(page.locator("#run-provenance")).to_contain_text("versions: torch")


@pytest.mark.same_page
def test_a_name_that_tries_to_be_a_program_is_shown(page, runs):
    visit(page, runs["spare"])
    for place in ("#run-head h3", "#run-list"):
        expect(page.locator(place)).to_contain_text(HOSTILE)
    page.get_by_label("Search the runs").fill("onerror")
    expect(page.locator("#run-list caption")).to_contain_text("1 of 12 runs")
    unfold(page, "As launched", "#run-spec")


@pytest.mark.same_page
def test_the_list_is_searched_and_what_is_chosen_is_compared(page):
    page.get_by_label("Search the runs").fill("FAILED memory")
    expect(page.locator("#run-list")).to_contain_text("No run has all of these words")
    page.get_by_label("Search the runs").fill("seed finished de-en")
    rows = page.locator("#run-list tbody tr")
    expect(rows).to_have_count(3)
    compare = page.locator("#run-chosen").get_by_role("button", name="Compare")
    rows.nth(0).get_by_role("checkbox").click()
    expect(compare).to_be_disabled()
    rows.nth(1).get_by_role("checkbox").click()
    expect(compare).to_have_text("Compare 2")
    page.get_by_label("Search the runs").fill("waiting")
    rows.nth(0).get_by_role("checkbox").click()
    expect(compare).to_be_disabled()  # it has not finished
    rows.nth(0).get_by_role("checkbox").click()
    compare.click()
    tab = tab_of(page, "Compare")
    expect(tab).to_have_attribute("aria-selected", "true")


def test_at_400_pixels_only_the_matrix_scrolls_and_its_rows_keep_their_names(browser, address):
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(f"{address}?tab=runs")
    box = page.locator("#matrix .scroll").first
    expect(box).to_be_visible()
    box.evaluate("box => box.scrollTo(1000, 0)")
    assert box.evaluate("box => box.scrollLeft") > 50
    name = box.get_by_role("rowheader", name="en-de", exact=True)
    assert name.bounding_box()["x"] == pytest.approx(box.bounding_box()["x"], abs=4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


@pytest.mark.same_page
def test_a_run_is_removed_after_a_question_and_others_are_told(page, browser, address, runs):
    visit(page, runs["doomed"])
    other = browser.new_context().new_page()
    other.goto(f"{address}?run={runs['doomed']}")
    expect(heading(other)).to_have_text("doomed")
    question = page.locator("#run-confirm")
    page.locator("#run-actions").get_by_role("button", name="Delete").click()
    expect(question).to_contain_text(runs["doomed"])
    question.get_by_role("button", name="No, keep").click()
    expect(question).to_be_hidden()
    page.locator("#run-actions").get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Yes, remove").click()
    expect(heading(page)).not_to_have_text("doomed")
    expect(cell(page, "Launch 512 pairs, en-de, clean")).to_be_visible()
    expect(other.locator("#run-head")).to_contain_text("is not there any more")
    expect(other.locator("#run-state")).to_be_hidden()
    other.context.close()


@pytest.mark.same_page
def test_panels_are_clean_and_noise_and_filters_choose_what_they_show(page):
    panels = page.locator("#matrix section")
    expect(panels).to_have_count(2)
    expect(panels.nth(1)).to_have_attribute("aria-label", "Word noise on the target side")
    expect(cell(page, "32 pairs, en-de, word noise, target: BLEU 4.5")).to_be_visible()
    choose(page, "Tested direction", "en-de")
    expect(cell(page, "32 pairs, en-de, word noise, target: BLEU 6.0")).to_be_visible()
    choose(page, "Method", "LoRA")
    expect(cell(page, "32 pairs, en-de, clean: BLEU 9.0, finished")).to_be_visible()
    expect(panels).to_have_count(1)
    expect(page.locator("#matrix")).to_contain_text("The filters hide")


def test_several_runs_are_removed_from_the_list(page, home, runs):
    page.get_by_label("Search the runs").fill("onerror")
    rows = page.locator("#run-list tbody tr")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").click()
    page.get_by_role("button", name="Delete 1").click()
    page.locator("#runs-confirm").get_by_role("button", name="Yes, remove").click()
    expect(page.locator("#run-list")).to_contain_text("No run has all of these words")
    assert not home.folder(runs["spare"]).exists()
