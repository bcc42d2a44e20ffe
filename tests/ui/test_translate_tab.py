"""Live translation in a real browser: two systems, a blind vote, a narrow screen, hostile names."""

import json
import re

import pytest
from playwright.sync_api import expect

from mtlab import RunSpec
from mtlab.runs.files import write_lines
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.browser import open_tab, served_lab

SLOW = 300_000  # ms; the first translation loads torch and the models
IMAGE = "<img src=x onerror=__hit=1> {{constructor.constructor('window.__hit=2')()}} ${__hit=3}"
SHOWN = {
    "direction": "de-en",
    "source": "Der Hund schläft.",
    "target": "The dog is sleeping.",
    "key": "shown",
}


@pytest.fixture(scope="module", autouse=True)
def patience():
    """The models of this page and those of other tests may share two cores."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def served_home(tmp_path_factory):
    """A home with one finished run, of few-shot prompting: it needs no training. Its name bites."""
    home = tmp_path_factory.mktemp("translate") / "home"
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(home)}))
    method = {"method": "few-shot"}
    spec = RunSpec(base="nano", size=1, test=("de-en", "fr-en"), training=method, name=IMAGE)
    run = store.create(spec)
    write_lines(run.folder / "train.jsonl", [SHOWN, {**SHOWN, "direction": "fr-en"}])
    store.write_status(run.id, store.status(run.id).with_changes(state="finished"))
    return home


@pytest.fixture(scope="module")
def address(served_home):
    with served_lab(served_home) as where:
        yield where


@pytest.fixture
def page(page):
    """The tab, opened; it must never have run any of the text it showed."""
    open_tab(page, "Translate")
    expect(page.locator("#translate-models .token")).to_have_count(2)  # the run is offered, too
    expect(page.locator("#translate-memory")).to_contain_text("memory", timeout=SLOW)
    yield page
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert page.evaluate("typeof window.__hit") == "undefined"


def translate(page):
    page.get_by_role("button", name="Translate", exact=True).click()


def cards(page):
    return page.locator("#translate-answers .card")


def text(page):
    return page.get_by_label("Text", exact=True)


def reference(page):
    return page.get_by_label("Reference", exact=True)


def test_two_systems_answer_live_and_what_they_said_is_looked_at(page):
    text(page).fill("Die Katze schläft im Garten.")
    translate(page)
    expect(cards(page)).to_have_count(2)
    expect(cards(page).first.locator(".stage")).to_have_text(re.compile("loading|decoding"))
    expect(cards(page).nth(1)).to_have_class(re.compile("done"), timeout=SLOW)
    expect(cards(page).first.locator("h4")).to_have_text("nano, untuned")
    expect(cards(page).nth(1).locator("h4")).to_contain_text(IMAGE)
    for card in (cards(page).first, cards(page).nth(1)):
        expect(card.locator(".answer")).to_have_text(re.compile(r"\w+"))
        expect(card.locator(".stage")).to_have_text(re.compile(r"done in [\d.]+ s, \d+ tokens/s"))
        expect(card.locator(".facts")).to_contain_text("× source")
    expect(page.locator("#translate-answers")).not_to_contain_text("chrF")
    expect(page.locator("#translate-memory")).to_contain_text("In memory: nano")

    page.get_by_label("Mark word differences").check()
    expect(page.locator("#translate-answers")).to_contain_text("Marked: words that the first")
    page.get_by_label("Mark word differences").uncheck()
    expect(page.locator("#translate-answers")).not_to_contain_text("Marked")

    reference(page).fill("The cat sleeps in the garden.")
    translate(page)
    expect(cards(page).nth(1).locator(".facts")).to_contain_text("chrF", timeout=SLOW)
    expect(page.locator("#translate-answers")).to_contain_text("sentence chrF: nrefs:1|")


STOP_AT_ONCE = """
([translate, stop]) => new Promise((done) => {
  for (const card of document.querySelectorAll("#translate-answers .card")) card.remove();
  translate.click();
  const look = () => {
    if (!document.querySelector("#translate-answers .card.decoding")) return setTimeout(look, 5);
    stop.click();
    done();
  };
  look();
})
"""


def test_what_cannot_be_translated_is_said_and_a_translation_is_stopped(page):
    text(page).fill("")
    translate(page)
    expect(page.get_by_role("status").last).to_contain_text("nothing is typed")
    text(page).fill("Ein Satz, und noch einer, und noch einer, und noch einer. " * 8)
    buttons = [
        page.get_by_role("button", name=name, exact=True).element_handle()
        for name in ("Translate", "Stop")
    ]
    # From within the page, and again where a busy machine had translated all before it heard.
    for _ in range(5):
        page.evaluate(STOP_AT_ONCE, buttons)
        expect(page.locator("#translate-answers [aria-busy=false]")).to_be_visible()
        if "stopped" in cards(page).nth(1).inner_text():
            break
    page.wait_for_timeout(1500)
    expect(cards(page).nth(1)).to_contain_text("stopped")
    text(page).fill("Ja.")
    translate(page)
    expect(cards(page).nth(1)).to_have_class(re.compile("done"), timeout=SLOW)


def test_a_blind_vote_tells_the_names_and_is_counted_once(page, served_home):
    text(page).fill("Der Vogel singt.")
    page.get_by_label("Blind: names are told after a vote").check()
    translate(page)
    expect(cards(page)).to_have_count(2)
    best = page.get_by_role("button", name="B is best")
    expect(best).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="C is best")).to_have_count(0)
    expect(cards(page).locator("h4")).to_have_text(["A", "B"])
    expect(page.locator("#translate-answers")).not_to_contain_text("tokens/s")
    answers = cards(page).locator(".answer").all_inner_texts()

    best.focus()
    best.press("Enter")
    expect(cards(page).nth(1).locator("h4")).to_contain_text("your choice")
    expect(page.locator("#translate-answers")).to_contain_text("nano, untuned")
    expect(best).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Votes")).click()
    row = page.locator("#votes tbody tr")
    expect(row).to_have_count(1)
    expect(page.locator("#votes .votes-said")).to_contain_text("1 of 1 decided votes")
    expect(row).to_contain_text(IMAGE)

    (line,) = (served_home / "votes.jsonl").read_text(encoding="utf-8").splitlines()
    vote = json.loads(line)
    assert (vote["choice"], vote["direction"], vote["source"]) == (
        "B", "de-en", "Der Vogel singt.",
    )  # fmt: skip
    kept = [" ".join(one["answer"].split()) for one in vote["systems"]]
    assert kept == [" ".join(answer.split()) for answer in answers]
    assert re.fullmatch(r"[0-9a-f]{16}", vote["visitor"])


@pytest.mark.same_page
def test_examples_fit_the_direction_and_bring_their_reference(page):
    examples = page.locator("#translate-examples button.example")
    expect(examples).to_have_count(4)
    examples.nth(1).click()
    expect(text(page)).to_have_value("Unsere neue Adresse ist noch nicht im System.")
    expect(reference(page)).to_have_value("Our new address isn't in the system yet.")
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("English")
    expect(text(page)).to_have_value("Our new address isn't in the system yet.")
    expect(reference(page)).to_have_value("Unsere neue Adresse ist noch nicht im System.")
    expect(examples.first).to_have_text("Lena always eats the crust first.")
    first = examples.first.inner_text()
    page.get_by_role("button", name="More examples").click()
    expect(examples.first).not_to_have_text(first)

    into = page.get_by_label("Into", exact=True)
    into.click()
    page.get_by_role("option", name="Japanese", exact=True).click()
    expect(examples.first).to_have_text("Good morning, how are you today?")
    examples.first.click()
    expect(reference(page)).to_have_value(re.compile("おはよう"))
    text(page).press("End")
    text(page).press_sequentially(" Hm")
    expect(reference(page)).to_have_value("")
    examples.first.click()
    expect(reference(page)).to_have_value(re.compile("おはよう"))
    text(page).fill("Pasted at once")  # no key is pressed
    expect(reference(page)).to_have_value("")


def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(page):
    page.set_viewport_size({"width": 400, "height": 800})
    page.get_by_label("Mark word differences").check()
    text(page).fill("Donaudampfschifffahrtsgesellschaftskapitän " * 3)
    translate(page)
    expect(cards(page).nth(1)).to_have_class(re.compile("done"), timeout=SLOW)
    page.get_by_role("button", name=re.compile("^Votes")).click()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for part in ("#translate-text", "#translate-models", "#translate-answers .card"):
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 400
