"""What every page owes its reader: axe finds nothing, in light and in dark, and a phone needs no horizontal scroll.

axe comes from the Python package `axe-playwright-python`, which carries it: nothing is fetched.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
SCHEMES = ("light", "dark")
PHONE_PX = 390
OVERFLOW = """() => {
    const room = document.documentElement.clientWidth;
    const scrolled = (element) => {
        for (let above = element.parentElement; above; above = above.parentElement)
            if (["auto", "scroll", "hidden"].includes(getComputedStyle(above).overflowX)) return true;
        return false;
    };
    const wide = [...document.querySelectorAll("body *")].filter(
        (element) => element.getBoundingClientRect().right > room + 1 && !scrolled(element)
    );
    return {
        too_wide_px: document.documentElement.scrollWidth - room,
        because: wide.slice(0, 5).map((element) => `${element.tagName}.${element.className}`),
    };
}"""


def find_problems(page: Page, context: dict[str, Any] | None = None) -> list[str]:
    """What axe finds on the page as it is, each with its place."""
    page.evaluate(AXE)  # as a reader's tools would, past the page's CSP
    results = page.evaluate("(context) => axe.run(context || document, {resultTypes: ['violations']})", context)
    assert results["passes"], "axe saw no element"
    return [
        f"{found['impact']} {found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:5])}"
        for found in results["violations"]
    ]


def check_page(page: Page, name: str, context: dict[str, Any] | None = None) -> list[str]:
    """Problems of the page that is open: light, dark, and narrow."""
    problems = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(150)  # colours that change with a transition have changed
        problems += [f"{name} ({scheme}) {found}" for found in find_problems(page, context)]
    page.emulate_media(color_scheme="light")
    usual = page.viewport_size
    page.set_viewport_size({"width": PHONE_PX, "height": 844})
    page.wait_for_timeout(150)
    measured = page.evaluate(OVERFLOW)
    if measured["too_wide_px"] > 0:
        problems.append(f"{name} ({PHONE_PX} px) is {measured['too_wide_px']} px too wide: {measured['because']}")
    if usual:
        page.set_viewport_size(usual)
    return problems
