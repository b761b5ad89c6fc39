"""The main job, whole, as people do it: no shortcut through the database.

Alice signs up, is approved, finds the course, enrols, reads a lesson in Voilà and moves a slider, answers right and wrong in
the notebook, submits (with our button and with nbgrader's own), reads a diagnostic, corrects, takes the quizzes, finishes;
Claire marks the task that a machine cannot mark; Alice sees her badge; a visitor without an account verifies it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

PASSWORD = "bureau-noir-ardoise"
Picture = Callable[[Page, str], None]


def test_from_the_catalogue_to_a_badge(installation: Any, visitor: Any, picture: Picture, course: Path) -> None:
    admin, alice, claire, denis = visitor(), visitor(), visitor(), visitor()

    # --- the first administrator, and people --------------------------------------------------------------------------
    admin.goto(installation.admin_link)
    picture(admin, "01-premier-acces")
    admin.get_by_label("Prénom et nom").fill("Racine")
    admin.get_by_label("Adresse électronique").fill("root@exemple.fr")
    fill_passwords(admin)
    admin.get_by_role("button", name="Créer ce compte").click()
    expect(admin.get_by_role("heading", name="Comptes")).to_be_visible()
    reused = visitor()
    reused.goto(installation.admin_link)
    expect(reused.get_by_label("Prénom et nom")).to_have_count(0)

    for page, name in ((alice, "Alice <'&\">"), (claire, "Claire Petit"), (denis, "Denis Moreau")):
        sign_up(installation, page, name)
    picture(alice, "02-compte-en-attente")
    alice.goto(f"{installation.public_url}/session/essai/module/m1/")
    assert alice.get_by_role("heading", name="Le carnet").count() == 0, "not approved yet"

    admin.goto(f"{installation.public_url}/gestion/comptes/")
    picture(admin, "03-comptes")
    for box in admin.get_by_role("checkbox").all():
        box.check()
    admin.get_by_role("button", name="Ouvrir les comptes cochés").click()
    name_roles(installation, admin, denis="Denis Moreau", claire="claire@exemple.fr", picture=picture)

    # --- catalogue, enrolment -----------------------------------------------------------------------------------------
    sign_in(installation, alice, "alice@exemple.fr")
    alice.goto(installation.public_url)
    picture(alice, "05-catalogue")
    alice.get_by_role("link", name="Python en trois modules").first.click()
    picture(alice, "06-parcours")
    alice.goto(f"{installation.public_url}/session/essai/")
    alice.get_by_role("button", name="S’inscrire").click()
    expect(alice.get_by_role("heading", name="Votre progression")).to_be_visible()
    picture(alice, "07-session")

    # --- M1: the lesson in Voilà, a slider ------------------------------------------------------------------------------
    open_module(installation, alice, "m1")
    picture(alice, "08-module")
    alice.get_by_role("link", name="Ouvrir la leçon").click()
    alice.wait_for_url(re.compile(r"/voila/render/essai/m1/lecon\.ipynb"), timeout=90_000)
    slider = alice.get_by_role("slider").first
    expect(slider).to_be_visible(timeout=25_000)
    before = alice.locator(".widget-readout").first.inner_text()
    slider.focus()
    slider.press("ArrowRight")
    expect(alice.locator(".widget-readout").first).not_to_have_text(before)
    picture(alice, "09-lecon-voila")

    # --- M1: a wrong answer, its diagnostic, then right ------------------------------------------------------------------
    answers = answers_of(course, "m1")
    open_notebook(installation, alice, "m1")
    for exercise, text in answers.items():
        write_answer(alice, exercise, text)
    write_answer(alice, "1.1", "# Exercice 1.1\nv_kmh = 90\nv_ms = v_kmh * 3.6")
    picture(alice, "10-carnet")
    save(alice)
    submit_from_module_page(installation, alice, "m1")
    expect(alice.locator("[data-result=failed]")).to_have_count(1, timeout=60_000)
    expect(alice.locator("[data-result=failed]")).to_contain_text("E13")
    picture(alice, "11-retour-faux")

    open_notebook(installation, alice, "m1")
    write_answer(alice, "1.1", answers["1.1"])
    save(alice)
    submit_with_nbgrader(installation, alice, "m1", picture)
    open_module(installation, alice, "m1")
    expect(alice.locator("[data-result=passed]")).to_have_count(len(answers), timeout=60_000)
    picture(alice, "13-retour-juste")
    take_quiz(installation, alice, course, "m1", picture)

    # --- M2, M3 and the task that a grader marks ------------------------------------------------------------------------
    for module in ("m2", "m3"):
        expected = answers_of(course, module)
        open_module(installation, alice, module)
        alice.get_by_role("link", name="Ouvrir la leçon").click()
        expect(alice.get_by_role("slider").first).to_be_visible(timeout=90_000)
        open_notebook(installation, alice, module)
        for exercise, text in expected.items():
            write_answer(alice, exercise, text)
        save(alice)
        submit_from_module_page(installation, alice, module)
        expect(alice.locator("[data-result=passed]")).to_have_count(len(expected), timeout=60_000)
        take_quiz(installation, alice, course, module, picture)

    open_notebook(installation, alice, "m9")
    write_text_answer(alice, "Ma séance : la loi d'Ohm en seconde, avec deux listes et un nuage de points.")
    save(alice)
    submit_from_module_page(installation, alice, "m9")
    expect(alice.get_by_text("relecture attendue").first).to_be_visible(timeout=60_000)

    # --- Claire marks it ------------------------------------------------------------------------------------------------
    sign_in(installation, claire, "claire@exemple.fr")
    claire.goto(f"{installation.public_url}/relecture/essai/")
    picture(claire, "14-relecture")
    claire.get_by_role("link", name=re.compile("Alice")).first.click()
    expect(claire.get_by_text("deux listes et un nuage")).to_be_visible()
    picture(claire, "15-relecture-essai")
    claire.get_by_label(re.compile("Points")).first.fill("7")
    claire.get_by_label(re.compile("Commentaire")).first.fill("Bonne idée de séance.")
    claire.get_by_role("button", name=re.compile("Enregistrer")).first.click()

    # --- the badge, verified by anyone ----------------------------------------------------------------------------------
    alice.goto(f"{installation.public_url}/session/essai/")
    expect(alice.get_by_text("Parcours terminé")).to_be_visible()
    picture(alice, "16-termine")
    badge = wait_for_badge(installation, alice)
    picture(alice, "17-badge")
    code = badge.rstrip("/").rpartition("/")[2]

    anyone = visitor()
    anyone.goto(f"{installation.public_url}/verifier/")
    anyone.get_by_label(re.compile("[Cc]ode")).first.fill(code)
    anyone.get_by_role("button", name=re.compile("Vérifier")).first.click()
    expect(anyone.get_by_text("Délivré à")).to_be_visible()
    expect(anyone.get_by_text("Alice <'&\">").first).to_be_visible()
    picture(anyone, "18-verification")
    document = anyone.request.get(f"{installation.public_url}/badges/{code}.json")
    assert document.status == 200
    credential = json.loads(document.text())
    assert "OpenBadgeCredential" in credential["type"]
    assert credential["proof"]
    attestation = alice.request.get(f"{installation.public_url}/badges/{code}/attestation.pdf")
    assert attestation.status == 200
    assert attestation.body().startswith(b"%PDF")


# --- what people do -----------------------------------------------------------------------------------------------------


def fill_passwords(page: Page) -> None:
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)


def sign_up(installation: Any, page: Page, name: str) -> None:
    address = f"{name.split()[0].lower()}@exemple.fr"
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


def name_roles(installation: Any, admin: Page, *, denis: str, claire: str, picture: Picture) -> None:
    """The administrator makes Denis a manager; Claire becomes trainer and grader of the session."""
    admin.goto(f"{installation.public_url}/administration/accounts/user/")
    admin.get_by_role("link", name=re.compile(denis)).click()
    admin.get_by_label("gestionnaire").check()
    admin.locator("input[name=_save]").click()
    admin.goto(f"{installation.public_url}/gestion/sessions/essai/")
    picture(admin, "04-session-suivie")
    for role in ("trainer", "grader"):
        form = admin.locator("form", has=admin.locator("select[name=role]")).first
        form.get_by_label(re.compile("[Aa]dresse")).fill(claire)
        form.locator("select[name=role]").select_option(role)
        form.get_by_role("button").click()


def open_module(installation: Any, page: Page, module: str) -> None:
    page.goto(f"{installation.public_url}/session/essai/module/{module}/")


def open_notebook(installation: Any, page: Page, module: str) -> None:
    open_module(installation, page, module)
    page.get_by_role("link", name="Ouvrir le carnet").click()
    page.wait_for_url(re.compile(rf"/notebooks/essai/{module}/exercices\.ipynb"), timeout=90_000)
    expect(page.locator(".jp-Cell").first).to_be_visible(timeout=60_000)


def answer_cell(page: Page, text: str) -> Locator:
    cell = page.locator(".jp-CodeCell", has_text=text).first
    expect(cell).to_be_visible(timeout=30_000)
    cell.scroll_into_view_if_needed()
    return cell


def write_answer(page: Page, exercise: str, text: str) -> None:
    editor = answer_cell(page, f"# Exercice {exercise}").locator(".cm-content")
    editor.click()
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


def submit_from_module_page(installation: Any, page: Page, module: str) -> None:
    open_module(installation, page, module)
    page.get_by_role("button", name="Soumettre").click()
    page.wait_for_url(re.compile(rf"/session/essai/module/{module}/"), timeout=60_000)


def submit_with_nbgrader(installation: Any, page: Page, module: str, picture: Picture) -> None:
    page.goto(page.url.partition("/notebooks/")[0] + "/lab")
    expect(page.locator(".jp-Launcher, .jp-NotebookPanel").first).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name=re.compile("Assignment List")).click()
    panel = page.locator("#nbgrader-assignment-list, .nbgrader-assignmentsList, .jp-MainAreaWidget:visible").last
    expect(panel.get_by_text(module, exact=True).first).to_be_visible(timeout=30_000)
    picture(page, "12-nbgrader")
    row = page.locator(".list_item", has_text=module).filter(has=page.get_by_role("button", name="Submit")).first
    row.get_by_role("button", name="Submit").click()
    expect(
        page.locator("#submitted_assignments_list").get_by_text(module).first
    ).to_be_visible(timeout=30_000)


def take_quiz(installation: Any, page: Page, course: Path, module: str, picture: Picture) -> None:
    page.goto(f"{installation.public_url}/session/essai/module/{module}/qcm/")
    questions = yaml.safe_load((course / "essai" / module / "qcm.yml").read_text(encoding="utf-8"))["questions"]
    source = page.content()
    assert all(
        choice["feedback"] not in source
        for question in questions
        for choice in question["choices"]
        if choice.get("feedback")
    )
    for question in questions:
        for position, choice in enumerate(question["choices"]):
            if choice.get("correct"):
                page.locator(f"[id='q-{question['id']}-{position}']").check()
    page.get_by_role("button", name="Valider mes réponses").click()
    expect(page.get_by_text("Tout est juste.")).to_be_visible()
    picture(page, f"qcm-{module}")


def wait_for_badge(installation: Any, page: Page) -> str:
    """The address of the first badge in « Mes badges »."""
    for _ in range(40):
        page.goto(f"{installation.public_url}/badges/")
        links = page.locator("a[href^='/badges/']").filter(has_text=re.compile("Python|Voir|[A-Z0-9]{4}-"))
        if links.count():
            links.first.click()
            return page.url
        page.wait_for_timeout(500)
    raise AssertionError("no badge came")


def answers_of(course: Path, module: str) -> dict[str, str]:
    """The author's answers, by exercise, without the markers: what a learner would type."""
    notebook = json.loads((course / "essai" / module / "exercices.ipynb").read_text(encoding="utf-8"))
    answers = {}
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        text = "".join(cell["source"])
        found = re.match(r"# Exercice (\S+)", text)
        if about.get("solution") and found:
            answers[found[1]] = "\n".join(line for line in text.splitlines() if "SOLUTION" not in line)
    return answers
