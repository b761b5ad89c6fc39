"""Real lessons of the course in Voilà: axe finds nothing, nothing overflows, sliders have a name, nothing is asked outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import OVERFLOW, find_problems
from tests.hub.bridge_door import LearnerServer, Portal
from tests.hub.lesson_fixtures import browser, place

__all__ = ["browser", "place"]

pytestmark = pytest.mark.browser

COURSE = Path(__file__).resolve().parents[2] / "courses" / "python-maths-physique"


def open_lesson(place: tuple[Portal, LearnerServer], browser: Browser, module: str, **screen: Any) -> Page:
    portal, server = place
    data = {f"data/{path.name}": path.read_bytes() for path in (COURSE / module / "data").iterdir()}
    portal.files = {"lecon.ipynb": (COURSE / module / "lecon.ipynb").read_bytes(), "exercices.ipynb": b"{}", **data}
    page = browser.new_context(**screen).new_page()
    page.goto(f"{server.url}api/status?token=door-of-the-test")
    page.goto(f"{server.url}pupitre/open?session=s&module=m1&view=lecon", wait_until="commit")
    page.wait_for_function("typeof lesson === 'object' && lesson.hasRun", timeout=60_000)
    expect(page.get_by_role("button", name="Voir la correction").last).to_be_visible(timeout=20_000)
    expect(page.locator("#lesson-lost")).to_be_hidden()
    return page


@pytest.mark.parametrize(
    ("module", "width", "scheme", "sliders"),
    [
        ("m6", 1280, "light", ["n(Mg) (mmol)", "C(H⁺) (mol/L)", "V(acide) (mL)", "V versé (mL)", "C(I₂) (mmol/L)"]),
        ("m7", 390, "dark", ["Pas Δt (ms)", "k (mg/m)", "Hauteur h (m)"]),
        ("m8", 390, "light", ["Nombre de dés", "Graine"]),
    ],
)
def test_lesson_is_open_to_everyone(
    place: tuple[Portal, LearnerServer], browser: Browser, module: str, width: int, scheme: str, sliders: list[str]
) -> None:
    page = open_lesson(place, browser, module, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name in sliders:
        expect(page.get_by_role("slider", name=name, exact=True)).to_be_visible()
    expect(page.locator(".pupitre-figure img").last).to_be_visible()
    assert find_problems(page) == []
    assert page.evaluate(OVERFLOW) == {"too_wide_px": 0, "because": []}
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert {address.split("/")[2] for address in asked if "://" in address} == {place[1].url.split("/")[2]}
    page.context.close()


def test_dice_are_thrown_again(place: tuple[Portal, LearnerServer], browser: Browser) -> None:
    page = open_lesson(place, browser, "m8")
    half_life = page.get_by_text("Demi-vie lue sur ce tirage")
    expect(half_life).to_be_visible()
    before = half_life.inner_text()
    page.get_by_role("button", name="Relancer les dés").click()
    expect(half_life).not_to_have_text(before, timeout=20_000)
    page.context.close()
