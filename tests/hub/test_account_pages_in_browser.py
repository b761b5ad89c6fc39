"""The pages of accounts in a real browser: axe finds nothing, nothing overflows, the CSP blocks nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright import sync_api

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VISITOR_PAGES = [
    "/compte/login/",
    "/compte/signup/",
    "/compte/password/reset/",
    "/accessibilite/",
    "/confidentialite/",
    "/inexistant",
]
MANAGER_PAGES = [
    "/gestion/comptes/",
    "/gestion/comptes/?vue=toutes",
    "/compte/profil/",
    "/compte/email/",
    "/compte/password/change/",
    "/compte/2fa/",
    "/compte/sessions/",
]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in the thread of the tests
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide-light", "phone-dark"])
def page(request, chromium) -> Iterator[Any]:
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, locale="fr-FR")
    page = context.new_page()
    page.complaints = []
    page.on(
        "console", lambda message: page.complaints.append(message.text) if "Content Security" in message.text else None
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


def check(page: Any, address: str) -> None:
    page.goto(address)
    assert page.complaints == [], address
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{address} is {wider} px too wide"
    assert page.locator("h1").count() == 1, address
    problems = page.evaluate("() => axe.run()")["violations"] if load_axe(page) else []
    assert [(p["id"], [n["target"] for n in p["nodes"]]) for p in problems] == [], address


def load_axe(page: Any) -> bool:
    """Put axe into the page as its reader's tools would, past the page's CSP."""
    from axe_playwright_python.base import AXE_FILE_PATH

    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    return bool(page.evaluate("typeof axe === 'object'"))


def test_pages_of_visitors(page, live_server):
    for path in VISITOR_PAGES:
        check(page, live_server.url + path)


def test_pages_of_managers(page, live_server, make_user):
    make_user("denis", is_manager=True)
    make_user("nadia", approved_at=None, display_name="<'&\">", school="Lycée de Villefranche-sur-Saône")
    page.goto(live_server.url + "/compte/login/")
    page.get_by_label("Adresse électronique").fill("denis@example.org")
    page.get_by_label("Mot de passe").fill("un-mot-de-passe-solide")
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_load_state()
    for path in MANAGER_PAGES:
        check(page, live_server.url + path)


def test_a_manager_approves_with_the_keyboard(page, live_server, make_user):
    from hub.portal.accounts.models import User

    make_user("denis", is_manager=True)
    make_user("nadia", approved_at=None)
    page.goto(live_server.url + "/compte/login/?next=/gestion/comptes/")
    page.get_by_label("Adresse électronique").fill("denis@example.org")
    page.get_by_label("Mot de passe").press_sequentially("un-mot-de-passe-solide")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Comptes", exact=True).wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page.get_by_label("Choisir Nadia").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Ouvrir les comptes cochés").press("Enter")
    page.get_by_text("1 compte ouvert.").wait_for()
    assert User.objects.get(email="nadia@example.org").is_approved


def test_the_account_menu_closes_as_menus_do(page, live_server, make_user):
    make_user("alice")
    page.goto(live_server.url + "/compte/login/?next=/compte/profil/")
    page.get_by_label("Adresse électronique").fill("alice@example.org")
    page.get_by_label("Mot de passe").fill("un-mot-de-passe-solide")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Mon profil").wait_for()
    entry = page.get_by_role("button", name="Se déconnecter")
    assert not entry.is_visible()
    page.locator("details.account-menu summary").click()
    assert entry.is_visible()
    page.keyboard.press("Escape")
    assert not entry.is_visible()
    page.locator("details.account-menu summary").click()
    page.locator("h1").click()
    assert not entry.is_visible()
