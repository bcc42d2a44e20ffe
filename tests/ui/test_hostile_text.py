"""Text that tries to be a program is shown as text, wherever a real page shows it."""

import re

import pytest
from playwright.sync_api import expect

from mtlab.lab import Lab
from mtlab.runs.files import read_lines, write_lines
from mtlab.settings import Settings
from tests.browser import open_tab, served_lab

RUN_TIMEOUT = 240_000  # ms
IMAGE = "<img src=x onerror=__hit=1>"
PAYLOADS = (
    "<script>__hit=2</script>",
    "<svg onload=__hit=3>",
    "${window.__hit=4}",
    "{{constructor.constructor('window.__hit=5')()}}",
    "`${window.__hit=6}`",
)


@pytest.fixture(scope="module")
def served_home(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile") / "home"


@pytest.fixture(scope="module")
def address(served_home):
    with served_lab(served_home) as where:
        yield where


@pytest.fixture
def page(page):
    """A page that must never have run any of the text it showed."""
    yield page
    harmless(page)


def harmless(page):
    for made in ("img[src=x]", "svg[onload]"):
        expect(page.locator(made)).to_have_count(0)
    assert page.evaluate("typeof window.__hit") == "undefined"


def hostile_tsv():
    lines = ["de\ten"]
    for number in range(40):
        payload = PAYLOADS[number % len(PAYLOADS)]
        lines.append(f"Satz {number} {IMAGE} {payload}\tLine {number} {IMAGE} {payload}")
    return "\n".join(lines).encode()


def test_in_the_preview_and_in_what_is_said_of_it(page):
    page.get_by_role("button", name="Advanced").click()
    base = page.get_by_label("Base model")
    base.fill(IMAGE)
    base.press("Enter")
    expect(page.locator("#launch-problem")).to_contain_text(IMAGE)
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_role("status").last).to_contain_text("there is no base model")
    harmless(page)


def test_in_a_run_its_samples_its_comparison_and_its_translations(page, served_home):
    page.get_by_role("button", name="Advanced").click()
    file = {"name": f"{IMAGE}.tsv", "mimeType": "text/plain", "buffer": hostile_tsv()}
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.locator("#train input")).to_have_count(2)
    for label, value in (
        ("Optimizer steps", "2"),
        ("Beams", "1"),
        ("Test segments per direction", "3"),
        ("Name of the run", IMAGE),
        ("Prompt template", f"{IMAGE} {{source}} ="),
    ):
        field = page.get_by_label(re.compile(rf"^\s*{label}"))
        field.fill(value)
        field.blur()
    size = page.get_by_label("Training pairs")
    size.fill("8")
    size.blur()
    expect(page.locator("#launch-pairs caption")).to_contain_text("8 of 8 training pairs")
    expect(page.locator("#launch-pairs tbody tr").first).to_contain_text(IMAGE)
    expect(page.locator("#launch-pairs pre")).to_contain_text(IMAGE)
    harmless(page)

    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("#run-state")).to_contain_text("finished", timeout=RUN_TIMEOUT)
    expect(page.locator("#run-samples tbody tr").first).to_contain_text(IMAGE)
    expect(page.locator("#run-list")).to_contain_text("finished")
    harmless(page)

    (run,) = Lab(Settings.from_environment({"MTLAB_HOME": str(served_home)})).runs()
    for path in (run.folder / "translations").glob("*.jsonl"):
        # A model may write anything.
        write_lines(path, [{**row, "hypothesis": " ".join(PAYLOADS)} for row in read_lines(path)])
    open_tab(page, "Compare")
    first = page.locator("#compare-segments tbody tr").first
    expect(first).to_contain_text(IMAGE)
    for payload in PAYLOADS:
        expect(first).to_contain_text(payload)
    expect(page.locator("#compare-scores")).to_contain_text(IMAGE)
    harmless(page)

    open_tab(page, "Translate")
    expect(page.locator("#translate-models .token")).to_have_count(2)  # the run is offered, too
    page.get_by_label("Text", exact=True).fill(f"{IMAGE} {' '.join(PAYLOADS)}")
    cards = page.locator("#translate-answers .card")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(cards).to_have_count(2)
    expect(cards.nth(1).locator("h4")).to_contain_text(IMAGE)
    expect(cards.nth(1)).to_have_class(re.compile("done"), timeout=RUN_TIMEOUT)
    expect(cards.nth(1).locator(".answer")).to_have_text(re.compile(r"\S"))
    harmless(page)
