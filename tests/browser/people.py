"""What people do in a browser: sign up, get an account opened, sign in, enrol, open, write, save, submit.

Found by role and label, as people find things. The tests of one run share one installation: names of people are each
test's own, the administrator is the same for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

PASSWORD = "bureau-noir-ardoise"
ADMIN = "root@exemple.fr"
Picture = Callable[[Page, str], None]


def address_of(name: str) -> str:
    return f"{name.split()[0].lower()}@exemple.fr"


def fill_passwords(page: Page) -> None:
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)


def sign_up(installation: Any, page: Page, name: str) -> None:
    address = address_of(name)
    page.goto(f"{installation.public_url}/compte/signup/")
    page.get_by_label("Prénom et nom").fill(name)
    page.get_by_label(re.compile("Adresse")).fill(address)
    fill_passwords(page)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Créer mon compte").click()
    page.goto(installation.link_in_message(address, rf"{re.escape(installation.public_url)}/compte/confirm-email/\S+"))
    page.get_by_role("button", name=re.compile("Confirmer")).click()
    if page.get_by_role("button", name="Se connecter").count():
        sign_in(installation, page, address)


def sign_in(installation: Any, page: Page, address: str) -> None:
    page.goto(f"{installation.public_url}/compte/login/")
    if "/compte/login" not in page.url:
        return  # signed in already
    page.get_by_label(re.compile("Adresse")).fill(address)
    fill_passwords(page)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/compte/login" not in url)


def enter_as_admin(installation: Any, page: Page) -> None:
    """Sign in as the administrator, who is created by the one-time link if this is the first time."""
    page.goto(installation.admin_link)
    if page.get_by_label("Prénom et nom").count():
        page.get_by_label("Prénom et nom").fill("Racine")
        page.get_by_label("Adresse électronique").fill(ADMIN)
        fill_passwords(page)
        page.get_by_role("button", name="Créer ce compte").click()
        expect(page.get_by_role("heading", name="Comptes")).to_be_visible()
    else:
        sign_in(installation, page, ADMIN)


def open_accounts(installation: Any, admin: Page) -> None:
    """Open every account that waits."""
    admin.goto(f"{installation.public_url}/gestion/comptes/")
    for box in admin.get_by_role("checkbox").all():
        box.check()
    admin.get_by_role("button", name="Ouvrir les comptes cochés").click()


def join(installation: Any, visitor: Callable[..., Page], admin: Page, *names: str) -> list[Page]:
    """A window per person, signed up, approved and signed in."""
    pages = [visitor() for _ in names]
    for page, name in zip(pages, names, strict=True):
        sign_up(installation, page, name)
    open_accounts(installation, admin)
    for page, name in zip(pages, names, strict=True):
        sign_in(installation, page, address_of(name))
    return pages


def give_roles(installation: Any, admin: Page, session: str, address: str, *roles: str) -> None:
    """On the session's page."""
    admin.goto(f"{installation.public_url}/gestion/sessions/{session}/")
    for role in roles:
        form = admin.locator("form", has=admin.locator("select[name=role]")).first
        form.get_by_label(re.compile("[Aa]dresse")).fill(address)
        form.locator("select[name=role]").select_option(role)
        form.get_by_role("button").click()


def tick_in_administration(installation: Any, admin: Page, name: str, box: str) -> None:
    """Give a person one of the roles of the whole installation: « gestionnaire », « concepteur »."""
    admin.goto(f"{installation.public_url}/administration/accounts/user/")
    admin.get_by_role("link", name=re.compile(name)).click()
    admin.get_by_label(box).check()
    admin.locator("input[name=_save]").click()


def enrol(installation: Any, page: Page, session: str = "essai") -> None:
    page.goto(f"{installation.public_url}/session/{session}/")
    page.get_by_role("button", name="S’inscrire").click()
    expect(page.get_by_role("heading", name="Votre progression")).to_be_visible()


def open_module(installation: Any, page: Page, module: str, session: str = "essai") -> None:
    page.goto(f"{installation.public_url}/session/{session}/module/{module}/")


def open_notebook(installation: Any, page: Page, module: str, session: str = "essai") -> None:
    open_module(installation, page, module, session)
    page.get_by_role("link", name="Ouvrir le carnet").click()
    page.wait_for_url(re.compile(rf"/notebooks/{session}/{module}/exercices\.ipynb"), timeout=90_000)
    expect(page.locator(".jp-Cell").first).to_be_visible(timeout=60_000)


def answer_cell(page: Page, text: str) -> Locator:
    cell = page.locator(".jp-CodeCell", has_text=text).first
    expect(cell).to_be_visible(timeout=30_000)
    cell.scroll_into_view_if_needed()
    return cell


def write_answer(page: Page, exercise: str, text: str) -> None:
    editor = answer_cell(page, f"# Exercice {exercise}").locator(".cm-content")
    editor.focus()  # a click waits for the page to stand still, which a busy machine delays
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def write_text_answer(page: Page, text: str) -> None:
    cell = page.locator(".jp-MarkdownCell", has_text="VOTRE RÉPONSE ICI").first
    cell.dblclick()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def save(page: Page) -> None:
    with page.expect_response(
        lambda r: "/api/contents/" in r.url and r.request.method == "PUT", timeout=20_000
    ) as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok


def submit_from_module_page(installation: Any, page: Page, module: str, session: str = "essai") -> None:
    open_module(installation, page, module, session)
    page.get_by_role("button", name="Soumettre").click()
    page.wait_for_url(re.compile(rf"/session/{session}/module/{module}/"), timeout=60_000)
