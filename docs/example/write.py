"""Write the worked example anew from a computed demo: `python docs/example/write.py reports`.

Needs Chromium, playwright and pdftoppm (Debian: chromium, poppler-utils).
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PATIENT = "P01"
FILES = ("report.html", "report.pdf", "report.json", "report.fhir.json")
# Width and height of the window, in pixels.
WINDOWS = ((1280, 1250), (420, 1800))


def first_page(pdf: Path, name: str) -> None:
    command = ["pdftoppm", "-png", "-r", "110", "-f", "1", "-l", "1", "-singlefile"]
    subprocess.run([*command, str(pdf), str(HERE / name)], check=True)


def main(reports: Path) -> None:
    for name in FILES:
        shutil.copy(reports / PATIENT / name, HERE / name)
    first_page(HERE / "report.pdf", "page1")
    pages = {"page1": reports / PATIENT / "report.html", "index": reports / "index.html"}
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, page in pages.items():
            for width, height in WINDOWS:
                tab = browser.new_page(viewport={"width": width, "height": height})
                tab.goto(page.resolve().as_uri())
                tab.screenshot(path=HERE / f"{name}_{width}.png")
            printed = Path(folder, f"{name}.pdf")
            tab.pdf(path=printed, prefer_css_page_size=True)
            first_page(printed, f"{name}_print")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
