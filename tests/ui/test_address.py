"""The address: back, forward and a reload land where one was."""

import re

from playwright.sync_api import expect

from tests.browser import tab_of


def is_open(page, tab):
    chosen = tab_of(page, tab)
    expect(chosen).to_have_attribute("aria-selected", "true", timeout=15_000)


def open_tab(page, tab):
    tab_of(page, tab).click()
    page.wait_for_url(re.compile(f"tab={tab.lower()}"))


def test_back_and_forward_go_from_tab_to_tab(page):
    page.wait_for_function("window.mtlabArrived === true")
    open_tab(page, "Runs")
    open_tab(page, "Compare")
    page.go_back()
    is_open(page, "Runs")
    page.go_back()
    is_open(page, "Launch")
    page.go_forward()
    is_open(page, "Runs")
    page.go_forward()
    is_open(page, "Compare")


def test_a_reload_comes_back_to_the_tab(page):
    page.wait_for_function("window.mtlabArrived === true")
    open_tab(page, "Translate")
    page.reload()
    is_open(page, "Translate")


def test_a_reload_comes_back_to_the_form_as_it_was_and_another_page_begins_afresh(page, address):
    steps = page.locator("#steps input, #steps textarea")
    page.wait_for_function("window.mtlabFormRead === true")
    page.locator("#train").get_by_label("fr-en", exact=True).check()
    page.get_by_label("Noise", exact=True).click()
    page.get_by_role("option", name=re.compile("^Typo")).click()
    expect(page.locator("#noise-side")).to_be_visible()  # it moves what is below it
    page.get_by_role("button", name="Advanced").click()
    steps.fill("7")
    command = page.locator("#launch-twins")
    expect(command).to_contain_text("--steps 7", timeout=15_000)
    asked = command.inner_text()
    page.reload()
    expect(command).to_have_text(asked, timeout=30_000, use_inner_text=True)
    expect(steps).to_have_value("7")  # in sight: what was opened is open
    expect(page.locator("#noise-side")).to_be_visible()
    other = page.context.new_page()
    other.goto(address)
    expect(other.locator("#launch-twins")).to_contain_text("mtlab run", timeout=30_000)
    expect(other.locator("#train").get_by_label("fr-en", exact=True)).not_to_be_checked()
