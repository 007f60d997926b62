"""A shopper: a page in a real browser that keeps what must not happen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Route

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 850}
LONGEST_SHIFT = 0.02
"""Cumulative layout shift; Google calls 0.1 good."""

WATCH = """
globalThis.watched = { shift: 0, violations: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) watched.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
addEventListener("securitypolicyviolation", (event) => watched.violations.push(event.violatedDirective));
"""

SMALL_TARGETS = """
() => [...document.querySelectorAll("a, button, input, select, textarea")]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden, .skip, p:not(.sort)"))
  .map((each) => [each, (each.closest("label") ?? each).getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([each, box]) => `${each.outerHTML.slice(0, 80)} ${box.width} × ${box.height}`)
"""
WITHOUT_NAME = """
() => [...document.querySelectorAll("a, button, input, select, textarea, [role=group], nav")]
  .filter((each) => each.checkVisibility() && !each.ariaLabel && !each.textContent.trim())
  .filter((each) => !each.labels?.length && !each.hasAttribute("aria-labelledby"))
  .map((each) => each.outerHTML.slice(0, 80))
"""


def launch(playwright: Playwright) -> Browser:
    """The Chromium of this machine. In CI it is a failure if there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI") == "true":
            raise AssertionError("CI must have chromium")
        pytest.skip("no chromium")
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=sandbox)


@dataclass
class Shopper:
    """A browser window at the shop of `base`; `ignored` are console errors that a test causes itself."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str) -> Page:
        """Go there."""
        self.page.goto(self.base + path)
        return self.page

    def shift(self) -> float:
        """How far things moved by themselves since the page was opened."""
        shift: float = self.page.evaluate("watched.shift")
        return shift

    def check(self) -> None:
        """Nothing went wrong behind the shopper's back."""
        assert self.page.evaluate("watched.violations") == []
        assert [each for each in self.errors if not any(word in each for word in self.ignored)] == []

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} {message.location.get('url')}")


@contextmanager
def shopper(browser: Browser, base: str, size: dict[str, int] = PHONE) -> Iterator[Shopper]:
    """A new shopper with an empty cart, on a phone unless said otherwise."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        locale="bn-BD",
        has_touch=size["width"] < 600,
    )
    context.set_default_timeout(20_000)
    methods = "/api/v1/payments/methods"
    if httpx.get(base + methods).status_code == 404:  # a shop that does not tell: cash on delivery alone
        context.route(f"**{methods}", lambda route: route.fulfill(json={"items": ["cod"]}))
    try:
        made = Shopper(context.new_page(), base)
        yield made
        made.check()
    finally:
        context.close()


def problem(route: Route, body: dict[str, Any], **headers: str) -> None:
    """Answer with problem details."""
    route.fulfill(status=body["status"], json=body, content_type="application/problem+json", headers=headers)
