"""The Compare tab in a real browser, over finished runs that were written by hand."""

import csv
import io
import re

import gradio as gr
import pytest
from playwright.sync_api import expect

from mtlab.lab import Lab
from mtlab.settings import Settings
from mtlab.ui.compare_tab import build_compare_tab
from mtlab.ui.wires import Wires, asked
from tests.browser import free_port, open_tab, served_lab, tab_of
from tests.written_systems import segments, write_run

IMAGE = "<img src=x onerror=__hit=1>"
HOSTILE = (
    f"{IMAGE} <script>__hit=2</script>",
    "{{constructor.constructor('window.__hit=3')()}}",
    "${window.__hit=4} `${window.__hit=5}`",
    "\u202eright to left\u202c שלום עולם",
    '=HYPERLINK("http://example.org")',
)
N = 2000


def planted(rows):
    """The first rows say what tries to be a program, as source, reference, hypothesis and base."""
    for row, text in zip(rows, HOSTILE, strict=False):
        for name in ("source", "reference", "hypothesis", "base"):
            row[name] = f"{text} {name}"
    return rows


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The home's folder and its runs by what is special of them."""
    home = tmp_path_factory.mktemp("compare") / "home"
    few = planted(segments(60, 0.3))
    made = {
        "other": write_run(home, 1, {"en-de": segments(30, 0.3)}, train=("en-de",)),
        "short": write_run(home, 2, {"de-en": few}, size=8, name=IMAGE, test_limit=60),
        "noisy": write_run(
            home, 3, {"de-en": planted(segments(60, 0.5))}, size=256,
            noise={"kind": "word", "side": "target"},
        ),
        "small": write_run(home, 4, {"de-en": planted(segments(N, 0.6, seed=4))}, size=16),
        "large": write_run(
            home, 5, {"de-en": planted(segments(N, 0.1, seed=5, off_target=0.05))}, size=256
        ),
    }  # fmt: skip
    return home, made


@pytest.fixture(scope="module")
def address(runs):
    with served_lab(runs[0]) as where:
        yield where


@pytest.fixture
def page(page):
    """The Compare tab as a visitor finds it; none of the text may have run."""
    open_compare(page)
    yield page
    for made in ("img[src=x]", "svg[onload]", "#compare-segments script"):
        expect(page.locator(made)).to_have_count(0)
    assert page.evaluate("typeof window.__hit") == "undefined"


def open_compare(page):
    open_tab(page, "Compare")
    expect(page.locator("#compare-segments tbody tr").first).to_be_visible(timeout=60_000)


def caption(page):
    return page.locator("#compare-segments caption").first


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).first.click()


def system(page, text):
    """Add a system whose label has the text."""
    page.locator("#compare-systems input").click()
    page.get_by_role("option", name=text).click()
    page.locator("#compare-systems input").blur()


def test_the_newest_run_stands_beside_its_base(page):
    heads = page.locator("#compare-segments thead").first
    expect(heads).to_contain_text("nano untuned")
    expect(heads).to_contain_text("256 pairs")
    expect(page.locator("#compare-segments tbody tr")).to_have_count(25)
    expect(caption(page)).to_contain_text(f"Segments de-en, page 1 of 80: {N:,} of {N:,} match")
    significance = page.locator("#compare-significance")
    expect(significance).to_contain_text("BLEU above nano untuned (95% interval", timeout=60_000)
    expect(significance).to_contain_text("one seed: the interval says nothing about other seeds")
    page.get_by_role("button", name="Where does the difference come from?").click()
    expect(page.locator("#compare-parts")).to_contain_text("off-target in some system")


@pytest.mark.same_page
def test_pages_turn_by_button_and_by_number(page):
    rows = page.locator("#compare-segments tbody tr")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(rows.first).to_contain_text("Quelle 25:")
    expect(page.get_by_label("Page", exact=True)).to_have_value("2")
    field = page.get_by_label("Page", exact=True)
    field.fill("80")
    expect(rows.last).to_contain_text("Quelle 1999:")
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    page.locator(".pager").get_by_role("button", name="1", exact=True).press("Enter")
    expect(caption(page)).to_contain_text("page 1 of 80")
    # What had the focus was replaced; the page's own button has it now.
    expect(page.locator('.pager [aria-current="page"]')).to_be_focused()


@pytest.mark.same_page
def test_the_largest_difference_comes_first(page):
    choose(page, "Sort by", "Largest difference between A and B")
    gains = page.locator("#compare-segments .segment-score .quiet")
    expect(gains.first).to_have_text(re.compile(r"\(\+[6-9]\d\.\d\)"))
    sizes = [abs(float(text.strip("()"))) for text in gains.all_inner_texts()]
    assert len(sizes) == 25 and sizes == sorted(sizes, reverse=True)


@pytest.mark.same_page
def test_filters_say_how_many_match(page):
    page.get_by_role("button", name="Next", exact=True).click()
    expect(caption(page)).to_contain_text("page 2")
    choose(page, "Failure", "off-target")
    expect(caption(page)).to_contain_text(f"page 1 of 4: 100 of {N:,} match")
    expect(page.locator(".badge", has_text="off-target: German").first).to_be_visible()
    choose(page, "Failure of", re.compile("^A: nano untuned"))
    expect(page.locator("#compare-segments")).to_contain_text(f"None of the {N:,} segments matches")
    choose(page, "Failure", "all segments")
    page.get_by_label("Text in source, reference or translation").fill("QUELLE 77")
    expect(caption(page)).to_contain_text(f"11 of {N:,} match")
    page.get_by_label("Text in source, reference or translation").fill("")
    length = page.get_by_label("Source length", exact=True)
    length.fill("7-8")
    length.press("Enter")
    expect(caption(page)).not_to_contain_text(f"{N:,} of {N:,} match")
    length.fill("long ago")
    length.press("Enter")
    expect(page.get_by_role("status").last).to_contain_text("write a range like 5-12")


def test_a_sentence_is_followed_along_sizes_and_noise_sides_by_keyboard(page):
    opener = page.get_by_role("button", name="Segment 8", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    across = page.locator(".across")
    expect(across).to_contain_text("Best by sentence chrF")
    expect(opener).to_be_focused()
    expect(across.locator("output")).to_have_text("256 pairs")
    slider = across.get_by_role("slider")
    slider.focus()
    large = across.locator(".step:visible .hypothesis")
    before = large.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(across.locator("output")).to_have_text("16 pairs")
    expect(slider).to_have_attribute("aria-valuetext", "16 pairs")
    expect(large).not_to_have_text(before)
    current = across.locator("tr.current")
    expect(current).to_have_count(1)
    expect(current.locator(".hypothesis")).to_have_text(large.inner_text())
    page.keyboard.press("Home")
    expect(across.locator("output")).to_have_text("untuned")
    across.get_by_role("button", name="256", exact=True).click()
    expect(slider).to_have_value("2")

    family = across.get_by_label("The same sentence across")
    family.select_option(label="noise sides: word noise, 256 pairs, nano, de-en alone")
    expect(across.locator("output")).to_have_text("clean")
    expect(across.locator(".ticks button")).to_have_text(["clean", "target"])
    expect(across.get_by_label("The same sentence across")).to_be_focused()

    opener.click()
    expect(across).to_have_count(0)
    page.locator("#compare-segments tbody tr").nth(9).locator("td").nth(1).click()
    expect(across).to_have_attribute("aria-label", "Segment 10 across runs")


@pytest.mark.same_page
def test_each_visitor_looks_at_a_page_of_their_own(page, browser, address):
    page.get_by_role("button", name="Next", exact=True).click()
    expect(caption(page)).to_contain_text("page 2 of 80")
    other = browser.new_page()
    other.goto(address)
    open_compare(other)
    expect(caption(other)).to_contain_text("page 1 of 80")
    other.close()
    open_tab(page, "Runs")
    open_tab(page, "Compare")
    expect(caption(page)).to_contain_text("page 2 of 80")


@pytest.mark.same_page
def test_a_runs_link_opens_it(page, runs):
    page.locator("#compare-scores tbody tr").nth(1).get_by_role("button").click()
    expect(tab_of(page, "Runs")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile(f"run={runs[1]['large']}"))


@pytest.mark.same_page
def test_what_is_filtered_is_saved(page):
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as CSV").click()
    assert saved.value.suggested_filename == "segments-de-en.csv"
    text = saved.value.path().read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    assert len(rows) == N and "256 pairs: sentence chrF" in header
    assert rows[4][2].startswith("'=HYPERLINK") and rows[0][2] == f"{HOSTILE[0]} source"
    choose(page, "Failure", "off-target")
    expect(caption(page)).to_contain_text("100 of")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as JSON lines").click()
    assert len(saved.value.path().read_text(encoding="utf-8").splitlines()) == 100


def test_two_runs_are_compared_word_by_word(page):
    system(page, re.compile("16 pairs"))
    expect(page.locator("#compare-segments thead").first).to_contain_text("16 pairs")
    expect(page.locator("#compare-scores tbody tr")).to_have_count(3)
    expect(page.locator("#compare-significance tbody tr")).to_have_count(4, timeout=60_000)
    choose(page, "Mark words that differ from", re.compile("^B: 256 pairs"))
    page.get_by_label("Page", exact=True).fill("6")  # beyond what B has written in German
    page.get_by_label("Page", exact=True).press("Enter")
    expect(caption(page)).to_contain_text("page 6")
    expect(page.locator("#compare-segments tbody td:nth-child(6) mark").first).to_be_visible()
    expect(page.locator("#compare-segments tbody td:nth-child(5) mark")).to_have_count(0)


def test_text_is_shown_and_never_run(page, runs):
    system(page, re.compile(re.escape(IMAGE)))
    expect(page.locator("#compare-scores")).to_contain_text(IMAGE)
    rows = page.locator("#compare-segments tbody tr")
    for row, text in enumerate(HOSTILE):
        for column, name in ((1, "source"), (2, "reference"), (3, "base"), (4, "hypothesis")):
            expect(rows.nth(row).locator("td").nth(column)).to_contain_text(f"{text} {name}")
    expect(rows.nth(3).locator('[dir="auto"]')).to_have_count(5)
    page.get_by_role("button", name="Segment 1", exact=True).click()
    expect(page.locator(".across")).to_contain_text(HOSTILE[0])
    page.get_by_label("Text in source, reference or translation").fill(IMAGE)
    expect(caption(page)).to_contain_text("1 of 60 match")


def test_other_test_sets_are_said_in_one_sentence(page, runs):
    system(page, re.compile("8 pairs.*" + re.escape(runs[1]["short"])))
    expect(page.locator("#compare-scores .problem")).to_contain_text(
        "tested on different segments (nano untuned: 2,000, 256 pairs: 2,000"
    )
    expect(caption(page)).to_contain_text("60 of 60 match")
    expect(page.locator("#compare-significance")).to_contain_text("same test corpus")
    system(page, re.compile("en-de"))
    expect(page.locator("#compare-scores .problem")).to_contain_text("share no test direction")
    expect(page.locator("#compare-segments")).to_have_count(0)


def test_a_narrow_screen_scrolls_one_way(browser, address):
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(address)
    open_compare(page)
    page.get_by_role("button", name="Segment 2", exact=True).click()
    expect(page.locator(".across")).to_be_visible()
    expect(page.locator("#compare-significance table")).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


def test_another_tab_asks_for_runs(browser, runs):
    home, made = runs
    lab = Lab(Settings.from_environment({"MTLAB_HOME": str(home)}))
    with gr.Blocks() as blocks:
        wires = Wires.made()
        ask = gr.Button("Compare these")
        with gr.Tabs(selected="first") as tabs:
            with gr.Tab("First", id="first"):
                gr.Markdown("Another tab")
            with gr.Tab("Compare", id="compare") as tab:
                build_compare_tab(lab, tab, wires)
        ids = [made["small"], made["large"]]
        ask.click(lambda: asked(ids), None, [wires.compare])
        wires.compare.change(lambda: gr.Tabs(selected="compare"), None, [tabs])
    _, address, _ = blocks.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port()
    )
    try:
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("button", name="Compare these").click(timeout=60_000)
        systems = page.locator("#compare-scores tbody tr")
        expect(systems).to_have_count(3)
        for row, name in enumerate(("16 pairs", "256 pairs", "nano untuned")):
            expect(systems.nth(row)).to_contain_text(name)
        expect(page.locator("#compare-segments tbody tr")).to_have_count(25)
        significance = page.locator("#compare-significance")
        expect(significance).to_contain_text("BLEU above 16 pairs", timeout=60_000)
        page.close()
    finally:
        blocks.close()
