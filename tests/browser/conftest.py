"""Both screens in Debian's Chromium, on the real daemon between the real simulators."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from simulators.stack import Stack, free_base
from tests.browser.screens import DESK, UPRIGHT, sign_in

expect.set_options(timeout=15_000)

_GO = """async () => {
  const { checkin_id, phase } = await (await fetch("/api/v1/station")).json();
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ checkin_id, answer: "cancel" });
  if (phase !== "idle") await fetch("/api/v1/station/answer", { method: "POST", headers, body });
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One kiosk with its simulators for the tests of a file; each test serves people of its own."""
    policy = {"confirm_seconds": 10, "choose_seconds": 30, "done_seconds": 12, "staff_seconds": 12, "number_wait": 3}
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, free_base(), config={"policy": policy}, with_province=False) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file: it keeps an event loop running, which asynchronous tests after it could not bear."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = chromium.new_context(ignore_https_errors=True)
    yield opened
    opened.close()


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[Callable[[str, dict[str, int]], Page]]:
    """Opens pages; at the end none of them may have met a script error or broken the content policy."""
    problems: list[str] = []

    def note(words: str) -> None:
        if "Failed to load resource" not in words and "ERR_" not in words:
            problems.append(words)

    def opened(url: str, size: dict[str, int]) -> Page:
        page = context.new_page()
        page.set_viewport_size(size)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: note(line.text) if line.type == "error" else None)
        page.goto(url)
        return page

    yield opened
    assert problems == []


@pytest.fixture
def patient(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Iterator[Page]:
    """The patient's screen, idle; whoever stands there at the end goes, so that the next test need not wait for it."""
    page = open_page(stack.url("kiosk") + "/", UPRIGHT)
    expect(page.locator("body")).to_have_attribute("data-view", "idle", timeout=40_000)  # whoever came before is gone
    yield page
    with suppress(Error):  # the page may be closed, or another one's
        page.evaluate(_GO)


@pytest.fixture
def staff(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Page:
    """The staff screen, signed in."""
    page = open_page(stack.url("kiosk") + "/staff", DESK)
    sign_in(page)
    page.context.pages[0].bring_to_front()  # a patient's screen behind another page draws late, and its time runs on
    return page


@pytest.fixture
def misbehave(stack: Stack) -> Iterator[Callable[..., None]]:
    """``misbehave("gateway", endpoint=..., mode=...)``: forces a mode of a simulator until the test ends."""

    def force(part: str, **mode: Any) -> None:
        httpx.post(stack.url(part) + "/_sim/mode", json=mode).raise_for_status()

    yield force
    httpx.post(stack.url("gateway") + "/_sim/mode", json={"endpoint": "*", "mode": "normal"}).raise_for_status()
    httpx.post(stack.url("his") + "/_sim/mode", json={"endpoint": "*", "mode": None}).raise_for_status()
