"""A person whose browser is in English: the portal, its messages, the Hub's pages and the bridge's speak English to them.

A real installation, from the catalogue to the first exercise notebook; then the switch at the foot of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import Installation, running_installation

pytestmark = pytest.mark.browser

PASSWORD = "bureau-noir-ardoise"


@pytest.fixture(scope="module")
def open_to_all(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_installation(tmp_path_factory.mktemp("state"), course, "english", PUPITRE_SIGNUP="open") as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def language_of(page: Page) -> str | None:
    return page.locator("html").get_attribute("lang")


def test_from_the_catalogue_to_a_notebook_in_english(
    open_to_all: Installation, page: Page, picture: Callable[[Page, str], None]
) -> None:
    portal, jupyter = open_to_all.public_url, open_to_all.jupyter_url

    page.goto(f"{portal}/compte/signup/")
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    page.get_by_label("First name and last name").fill("Erin O’Neil")
    page.get_by_label("E-mail address").fill("erin@exemple.fr")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("checkbox").check()
    picture(page, "en-01-sign-up")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()

    link = open_to_all.link_in_message("erin@exemple.fr", rf"{re.escape(portal)}/compte/confirm-email/\S+")
    sent = " ".join(path.read_text() for path in (open_to_all.state_dir / "mail").glob("*.log"))
    assert "This address was given for an account on Pupitre." in sent
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    if page.get_by_role("button", name="Sign in").count():
        page.get_by_label("E-mail address").fill("erin@exemple.fr")
        page.locator("input[type=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    page.goto(f"{portal}/session/essai/")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("heading", name="Your progress")).to_be_visible()
    picture(page, "en-02-session")

    page.goto(f"{jupyter}/hub/home")
    expect(page.get_by_role("heading", name="Your workspace")).to_be_visible()
    assert language_of(page) == "en"
    picture(page, "en-03-hub")

    page.goto(f"{portal}/session/essai/module/m1/")
    picture(page, "en-04-module")
    page.get_by_role("link", name="Open the notebook").click()
    page.wait_for_url(re.compile(r"/notebooks/essai/m1/exercices\.ipynb"), timeout=90_000)

    page.goto(f"{jupyter}/hub/user-redirect/pupitre/open?session=essai&module=absent&view=carnet")
    expect(page.get_by_role("alert")).to_have_text("This module does not exist in this session.")
    assert language_of(page) == "en", "the portal's refusal, on a page of the bridge"
    picture(page, "en-05-bridge")
    page.goto(f"{jupyter}/hub/user-redirect/pupitre/restore?session=essai&module=m1")
    expect(page.get_by_role("heading", name="Start again from the original")).to_be_visible()

    page.goto(f"{portal}/session/essai/module/m1/")
    page.get_by_role("button", name="Français").click()
    page.get_by_role("link", name="Ouvrir le carnet").click()
    page.wait_for_url(re.compile(r"/notebooks/essai/m1/exercices\.ipynb"), timeout=90_000)
    page.goto(f"{jupyter}/hub/home")
    expect(page.get_by_role("heading", name="Votre espace de travail")).to_be_visible()
    assert language_of(page) == "fr", "the choice made in the portal goes before the browser's language"


def test_the_switch_at_the_foot_of_the_page(open_to_all: Installation, page: Page, picture: Any) -> None:
    refusals: list[str] = []
    page.on("console", lambda message: refusals.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{open_to_all.public_url}/?q=python")
    assert language_of(page) == "en"
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("button", name="Chercher")).to_be_visible()
    assert (language_of(page), page.url) == ("fr", f"{open_to_all.public_url}/?q=python")
    picture(page, "en-06-switched-to-french")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    assert not refusals
