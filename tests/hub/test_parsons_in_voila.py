"""A Parsons problem in Voilà, in a real browser: with the keyboard alone, with the mouse, on a telephone; axe finds nothing."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.hub.bridge_door import LearnerServer, Portal
from tests.hub.lesson_fixtures import browser, place

__all__ = ["browser", "place"]

pytestmark = pytest.mark.browser

PROBLEM = '''
parsons.show("Comptez jusqu’à trois.", """
n = 0
while n < 3:
    n = n + 1
print(n)
""", distractors={"while n > 3:": "La condition est-elle vraie au départ ?"}, because="Trois tours.");
'''


def make_lesson() -> bytes:
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# Boucles"),
        new.new_code_cell("from pupitre import lesson, parsons\n\nlesson.start()"),
        new.new_code_cell(PROBLEM),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(new.new_notebook(cells=cells, metadata={"kernelspec": kernel})).encode()


@pytest.fixture(scope="module")
def server(place: tuple[Portal, LearnerServer]) -> LearnerServer:
    portal, running = place
    portal.files = {"lecon.ipynb": make_lesson(), "exercices.ipynb": b"{}"}
    return running


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide-light", "phone-dark"])
def page(request: pytest.FixtureRequest, server: LearnerServer, browser: Browser) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server.url}api/status?token=door-of-the-test")
    page.goto(f"{server.url}pupitre/open?session=s&module=m1&view=lecon", wait_until="commit")
    expect(page.get_by_role("button", name="Vérifier")).to_be_visible(timeout=60_000)
    expect(page.locator("#lesson-progress")).to_be_hidden(timeout=60_000)
    yield page
    context.close()


def program(page: Page) -> Locator:
    return page.locator(".pupitre-placed:visible")


def press(page: Page, name: str) -> None:
    """As with a keyboard: give the focus, then Enter."""
    button = page.get_by_role("button", name=name).first
    button.focus()
    page.keyboard.press("Enter")


def test_solved_with_the_keyboard_alone(page: Page) -> None:
    for number, line in enumerate(("n = 0", "while n < 3:", "print(n)"), 1):
        press(page, line)
        expect(program(page)).to_have_count(number)
    press(page, "Vérifier")
    expect(page.get_by_text("À revoir (P2).")).to_be_visible()
    press(page, "n = n + 1")
    expect(page.get_by_text("place 4 sur 4, sans décalage")).to_be_visible()
    press(page, "Monter")
    expect(page.get_by_text("place 3 sur 4")).to_be_visible()
    expect(page.get_by_role("button", name="Monter")).to_be_focused()
    press(page, "Décaler")
    expect(page.get_by_text("place 3 sur 4, décalage 1")).to_be_visible()
    press(page, "Vérifier")
    expect(page.get_by_text("Bien ordonné. Trois tours.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    found = Axe().run(page, context=".pupitre-parsons", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_lines_are_dragged_or_moved_with_alt_and_arrows(page: Page) -> None:
    for number, line in enumerate(("while n < 3:", "n = 0", "n = n + 1", "print(n)"), 1):
        page.get_by_role("button", name=line).first.click()
        expect(program(page)).to_have_count(number)
    box = program(page).nth(1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 62, box["y"] - 10)
    page.mouse.move(box["x"] + 60, box["y"] - 30)
    page.mouse.up()
    expect(program(page).nth(0)).to_contain_text("n = 0")
    program(page).nth(2).focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_text("place 3 sur 4, décalage 1")).to_be_visible()
    press(page, "Vérifier")
    expect(page.get_by_text("Bien ordonné.")).to_be_visible()


def test_lines_are_there_as_text_too(page: Page) -> None:
    page.get_by_text("Les lignes en texte").click()
    expect(page.locator(".pupitre-lines").get_by_text("while n > 3:")).to_be_visible()
