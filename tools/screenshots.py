"""Take the pictures of docs/images from a running `make run`: `python -m tools.screenshots [address]`.

The passwords that `make run` printed are read from standard input, a line "address password" each.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.chromium import launch

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE: ViewportSize = {"width": 1366, "height": 768}
# picture -> (who looks, what at, in which theme)
PICTURES = {
    "card": ("reviewer", "/review/credit/", "light"),
    "card-dark": ("reviewer", "/review/credit/", "dark"),
    "floor": ("manager", "/floor/emails/", "light"),
    "audit": ("auditor", "/audit/emails/", "light"),
    "policy": ("manager", "/policy/emails/", "light"),
}


def main() -> int:
    """Sign in as each person and take their pictures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    pairs = (line.split() for line in sys.stdin if "@" in line)
    passwords = {mail.partition("@")[0]: (mail, password) for mail, password in pairs}
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (who, path, theme) in PICTURES.items():
            take(browser, address, passwords[who], path, theme).screenshot(path=IMAGES / f"{name}.png")
        browser.close()
    return 0


def take(browser: Browser, address: str, person: tuple[str, str], path: str, theme: str) -> Page:
    """Open a page as somebody and wait until it has settled."""
    dark = theme == "dark"
    page = browser.new_context(base_url=address, viewport=SIZE, color_scheme="dark" if dark else "light").new_page()
    page.goto(f"/accounts/login/?next={path}")
    page.fill("[name=login]", person[0])
    page.fill("[name=password]", person[1])
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"**{path}")
    page.wait_for_load_state("networkidle")
    return page


if __name__ == "__main__":
    sys.exit(main())
