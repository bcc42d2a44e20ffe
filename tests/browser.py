"""A lab that is served and a Chromium that looks at it, for the browser tests and screenshots."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 120
_CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def served_lab(
    home: Path, port: int | None = None, *flags: str, variables: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The app as its own process over a home; yields its address.

    Args:
        home: the lab's.
        port: a free one when not given.
        flags: of app.py.
        variables: of its environment, beside the usual ones.
    """
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "MTLAB_HOME": str(home),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        **(variables or {}),
    }
    log = home.parent / f"app-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", *flags],
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(address, process, log)
        yield address
    finally:
        # A run goes on without the app; one that nobody will look at only takes time from others.
        runs = [] if process.poll() is not None else psutil.Process(process.pid).children(True)
        process.terminate()
        process.wait(30)
        for run in runs:
            with suppress(psutil.NoSuchProcess):
                run.kill()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an app that was just started answers; its log says why where it ends instead."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the app ended by itself:\n{log.read_text()}")
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"the app did not answer in {_START_SECONDS} s:\n{log.read_text()}")


def tab_of(page: Page, name: str) -> Locator:
    """A tab's head. Asking for it by its role would have every element of the page looked at."""
    return page.locator("[role=tablist] [role=tab]", has_text=re.compile(rf"^\s*{name}\s*$"))


def open_tab(page: Page, name: str) -> None:
    """Go to a tab."""
    tab_of(page, name).click()


def unfold(page: Page, name: str, part: str) -> None:
    """Open what is folded away under a name, unless it is open; `part` is a part of it."""
    if not page.locator(part).is_visible():
        page.get_by_role("button", name=name).click()
    expect(page.locator(part)).to_be_visible()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the system's where there is one, else Playwright's own."""
    # The first has no window to draw, and takes half as much of the processor for a page.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_CHROMIUM_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Visits:
    """The pages of one visitor after another, of whom each is there until the next one comes.

    Loading the page is most of what a test of it takes: one that only looks can go on with the page
    of another.

    Args:
        browser: where they look from, each without the cookies and the storage of the one before.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None
        self._faults: list[str] = []

    def __enter__(self) -> Visits:
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    @property
    def page(self) -> Page:
        """The page of who is there."""
        assert self._page is not None
        return self._page

    def arrive(self, address: str) -> None:
        """Open a page and wait until it answers to clicks, where none is open."""
        if self._page is not None and not self._page.is_closed():
            return
        self.leave()
        context = self._browser.new_context(viewport={"width": 1280, "height": 900})
        self._page = context.new_page()
        self._page.on("pageerror", lambda error: self._faults.append(str(error)))
        self._page.goto(address)
        self._page.wait_for_function("window.mtlabArrived === true")
        self._page.locator("h1", has_text="mtlab").wait_for()

    def faults(self) -> list[str]:
        """The errors of the page's own script since this was last asked."""
        found, self._faults = self._faults, []
        return found

    def leave(self) -> None:
        """Close the page."""
        if self._page is not None:
            self._page.context.close()
        self._page, self._faults = None, []


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
