"""In a browser: a visitor who may not launch, signing in beside the page, the owner's launch."""

import re

import pytest
from playwright.sync_api import expect

from mtlab.access import passwords
from mtlab.access.passwords import AuthFile
from tests.browser import open_tab, served_lab, tab_of


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sign-in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_N", 16)
        file = AuthFile(folder / "people.txt")
        file.add("alice", "a good password")
    # There is no such device, so that what is launched waits.
    idle = {"MTLAB_DEVICES": "cuda:7"}
    with served_lab(folder / "home", None, "--auth-file", str(file.path), variables=idle) as where:
        yield where


@pytest.fixture
def page(page):
    """The page; whatever its policy forbids it fails the test."""
    forbidden = []
    page.context.on(
        "console",
        lambda said: "Content Security Policy" in said.text and forbidden.append(said.text),
    )
    yield page
    assert forbidden == []


def test_a_visitor_is_told_why_signs_in_beside_the_form_and_launches_it(page):
    who = page.locator("#sign-in")
    expect(who).to_contain_text("You look and translate as a visitor.")
    name = page.get_by_label(re.compile(r"^\s*Name of the run"))
    page.get_by_role("button", name="Advanced").click()
    name.fill("mine")
    name.blur()
    size = page.get_by_label("Training pairs")
    size.fill("8")
    size.blur()
    launch = page.get_by_role("button", name="Launch", exact=True)
    launch.click()
    told = page.get_by_text("runs are launched by those who have signed in, and you have not: ")
    expect(told).to_be_visible()
    expect(name).to_have_value("mine")
    expect(size).to_have_value("8")

    with page.context.expect_page() as opening:
        who.get_by_role("link", name="Sign in").click()
    beside = opening.value
    beside.get_by_label("Name").fill("alice")
    beside.get_by_label("Password").fill("a wrong password")
    beside.get_by_role("button", name="Sign in").click()
    expect(beside.get_by_role("alert")).to_have_text("There is nobody with that name and password.")
    beside.get_by_label("Name").fill("alice")
    beside.get_by_label("Password").fill("a good password")
    beside.get_by_role("button", name="Sign in").click()
    expect(beside.get_by_text("You are signed in as alice.")).to_be_visible()
    beside.close()

    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(who).to_contain_text("Signed in as alice.")
    expect(name).to_have_value("mine")
    launch.click()
    expect(page.locator("#run-head")).to_contain_text("mine")
    expect(page.locator("#run-state")).to_contain_text("queued")


def test_every_tab_lives_with_the_policy(page, address):
    for tab in ("Runs", "Results", "Compare", "Translate", "Guide", "Launch"):
        open_tab(page, tab)
        expect(tab_of(page, tab)).to_have_attribute("aria-selected", "true")
    open_tab(page, "Translate")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(page.locator("#translate-answers .card.done").first).to_be_visible(timeout=120_000)
    page.reload()
    expect(page.locator("#sign-in")).to_be_visible()


def test_the_policy_is_watched(browser, address):
    """The test above can fail: what is forbidden is told on the console."""
    context = browser.new_context()
    said = []
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.goto(f"{address}/login")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://x.example/'}))")
    page.wait_for_timeout(500)
    context.close()
    assert any("Content Security Policy" in one for one in said)
