"""Pages in Debian's Chromium: opened from the disk, watched for requests, checked with axe-core."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Its library is loaded where the browser is used: every run of the tests reads this file.
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Start Chromium; skip, saying so, where it is absent (with DRP_CI=1 a skip is a failure)."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is absent: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    # Its sandbox does not start for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


def requests_of(page: "Page") -> list[str]:
    """Give a list that grows by the address of every request the page makes from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def faults_of(page: "Page") -> list[str]:
    """Give a list that grows by every error, warning and dialog of the page from now on."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    return said


def write_page(folder: Path, name: str, text: str) -> str:
    """Write a page as it is delivered and give its address."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def violations(page: "Page") -> list[str]:
    """List what axe-core finds wrong on the page as it stands: rule, help, first elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:120] for node in rule['nodes'][:3]]}"
        for rule in found
    ]


def scrolls_sideways(page: "Page") -> bool:
    """Say whether the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
