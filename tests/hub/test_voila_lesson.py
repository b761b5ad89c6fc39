"""A lesson in Voilà, in a real browser: text at once, widgets, formulas, nothing from another host, a lost kernel said in French."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.hub.bridge_door import SHARE, LearnerServer, Portal
from tests.hub.lesson_fixtures import browser, place

__all__ = ["browser", "place"]

pytestmark = pytest.mark.browser

LESSON = (SHARE / "course-template" / "m1" / "lecon.ipynb").read_bytes()


@pytest.fixture(scope="module")
def server(place: tuple[Portal, LearnerServer]) -> LearnerServer:
    portal, running = place
    portal.files = {"lecon.ipynb": LESSON, "exercices.ipynb": b"{}"}
    return running


@dataclass
class Reader:
    page: Page
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        return {address.split("/")[2] for address in self.asked if "://" in address}


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide-light", "phone-dark"])
def reader(request: pytest.FixtureRequest, server: LearnerServer, browser: Browser) -> Iterator[Reader]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    reader = Reader(context.new_page())

    def note(asked: Request) -> None:
        reader.asked.append(asked.url)

    reader.page.on("request", note)
    reader.page.on("pageerror", lambda error: reader.errors.append(str(error)))
    reader.page.goto(f"{server.url}api/status?token=door-of-the-test")
    reader.page.goto(f"{server.url}pupitre/open?session=s&module=m1&view=lecon", wait_until="commit")
    yield reader
    context.close()


def test_a_lesson_is_read_then_lived(reader: Reader, server: LearnerServer) -> None:
    page = reader.page
    expect(page.get_by_role("heading", name="Une chute libre")).to_be_visible(timeout=20_000)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible(timeout=60_000)
    expect(page.locator("#lesson-progress")).to_be_hidden()
    expect(page.get_by_text("Pour h = 5 m, la chute dure 1.01 s.")).to_be_visible()
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Pour h = 6 m")).to_be_visible(timeout=20_000)
    assert page.locator("mjx-container").count() == 2, "formulas of the text, inline too"
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    links = {link.inner_text(): link.get_attribute("href") for link in page.locator("header a").all()}
    assert links["Revenir au module"] == "http://127.0.0.1:1/session/s/module/m1/"
    assert links["Passer aux exercices"] == "/user/alice/pupitre/open?session=s&module=m1&view=carnet"
    assert reader.hosts() == {server.url.split("/")[2]}, "nothing is asked from another host"
    assert reader.errors == []


def test_a_lost_kernel_is_said_with_one_button(reader: Reader, server: LearnerServer) -> None:
    page = reader.page
    expect(page.get_by_role("slider")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    token = server.client.cookies.get("_xsrf") or ""
    for kernel in server.get("api/kernels").json():
        answer = server.client.delete(f"api/kernels/{kernel['id']}", headers={"X-XSRFToken": token})
        assert answer.status_code == 204
    expect(page.get_by_text("La partie interactive s’est arrêtée.")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Recharger la page").click()
    expect(page.get_by_role("slider")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("La partie interactive s’est arrêtée.")).to_be_hidden()


def test_another_template_cannot_be_asked_for(server: LearnerServer) -> None:
    server.get("pupitre/open?session=s&module=m1&view=lecon")
    with httpx.stream(
        "GET",
        f"{server.url}voila/render/s/m1/lecon.ipynb?template=lab&theme=dark",
        cookies=server.client.cookies,
        timeout=60,
        trust_env=False,
    ) as answer:
        page = "".join(answer.iter_text())
    assert 'class="brand"' in page
    assert "https://cdn" not in page
