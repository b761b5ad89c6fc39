"""The main job, whole, as people do it: no shortcut through the database.

Alice signs up, is approved, finds the course, enrols, reads a lesson in Voilà and moves a slider, answers right and wrong in
the notebook, submits (with our button and with nbgrader's own), reads a diagnostic, corrects, takes the quizzes, finishes;
Claire marks the task that a machine cannot mark; Alice sees her badge; a visitor without an account verifies it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.accessibility import check_page

pytestmark = pytest.mark.browser


def test_from_the_catalogue_to_a_badge(installation: Any, visitor: Any, picture: people.Picture, course: Path) -> None:
    admin, alice, claire, denis = visitor(), visitor(), visitor(), visitor()

    # --- the first administrator, and people --------------------------------------------------------------------------
    admin.goto(installation.admin_link)
    picture(admin, "01-premier-acces")
    people.enter_as_admin(installation, admin)
    reused = visitor()
    reused.goto(installation.admin_link)
    expect(reused.get_by_label("Prénom et nom")).to_have_count(0)

    for page, name in ((alice, "Alice <'&\">"), (claire, "Claire Petit"), (denis, "Denis Moreau")):
        people.sign_up(installation, page, name)
    picture(alice, "02-compte-en-attente")
    alice.goto(f"{installation.public_url}/session/essai/module/m1/")
    assert alice.get_by_role("heading", name="Le carnet").count() == 0, "not approved yet"

    admin.goto(f"{installation.public_url}/gestion/comptes/")
    picture(admin, "03-comptes")
    people.open_accounts(installation, admin)
    people.tick_in_administration(installation, admin, "Denis Moreau", "gestionnaire")
    admin.goto(f"{installation.public_url}/gestion/sessions/essai/")
    picture(admin, "04-session-suivie")
    people.give_roles(installation, admin, "essai", "claire@exemple.fr", "trainer", "grader")

    # --- catalogue, enrolment -----------------------------------------------------------------------------------------
    people.sign_in(installation, alice, "alice@exemple.fr")
    alice.goto(installation.public_url)
    picture(alice, "05-catalogue")
    alice.get_by_role("link", name="Python en trois modules").first.click()
    picture(alice, "06-parcours")
    people.enrol(installation, alice)
    picture(alice, "07-session")

    # --- M1: the lesson in Voilà, a slider ------------------------------------------------------------------------------
    people.open_module(installation, alice, "m1")
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
    people.open_notebook(installation, alice, "m1")
    for exercise, text in answers.items():
        people.write_answer(alice, exercise, text)
    people.write_answer(alice, "1.1", "# Exercice 1.1\nv_kmh = 90\nv_ms = v_kmh * 3.6")
    picture(alice, "10-carnet")
    people.save(alice)
    people.submit_from_module_page(installation, alice, "m1")
    expect(alice.locator("[data-result=failed]")).to_have_count(1, timeout=60_000)
    expect(alice.locator("[data-result=failed]")).to_contain_text("E13")
    picture(alice, "11-retour-faux")

    people.open_notebook(installation, alice, "m1")
    people.write_answer(alice, "1.1", answers["1.1"])
    people.save(alice)
    submit_with_nbgrader(installation, alice, "m1", picture)
    people.open_module(installation, alice, "m1")
    expect(alice.locator("[data-result=passed]")).to_have_count(len(answers), timeout=60_000)
    picture(alice, "13-retour-juste")
    take_quiz(installation, alice, course, "m1", picture)

    # --- M2, M3 and the task that a grader marks ------------------------------------------------------------------------
    for module in ("m2", "m3"):
        expected = answers_of(course, module)
        people.open_module(installation, alice, module)
        alice.get_by_role("link", name="Ouvrir la leçon").click()
        expect(alice.get_by_role("slider").first).to_be_visible(timeout=90_000)
        people.open_notebook(installation, alice, module)
        for exercise, text in expected.items():
            people.write_answer(alice, exercise, text)
        people.save(alice)
        people.submit_from_module_page(installation, alice, module)
        expect(alice.locator("[data-result=passed]")).to_have_count(len(expected), timeout=60_000)
        take_quiz(installation, alice, course, module, picture)

    people.open_notebook(installation, alice, "m9")
    people.write_text_answer(alice, "Ma séance : la loi d'Ohm en seconde, avec deux listes et un nuage de points.")
    people.save(alice)
    people.submit_from_module_page(installation, alice, "m9")
    expect(alice.get_by_text("relecture attendue").first).to_be_visible(timeout=60_000)

    # --- Claire marks it ------------------------------------------------------------------------------------------------
    people.sign_in(installation, claire, "claire@exemple.fr")
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
    problems = check_page(alice, "award, its own page")
    code = badge.rstrip("/").rpartition("/")[2]

    anyone = visitor()
    anyone.goto(f"{installation.public_url}/verifier/")
    anyone.get_by_label(re.compile("[Cc]ode")).first.fill(code)
    anyone.get_by_role("button", name=re.compile("Vérifier")).first.click()
    expect(anyone.get_by_text("Délivré à")).to_be_visible()
    expect(anyone.get_by_text("Alice <'&\">").first).to_be_visible()
    picture(anyone, "18-verification")
    problems += check_page(anyone, "verification")
    anyone.goto(badge)
    problems += check_page(anyone, "award, seen by anyone")
    alice.goto(f"{installation.public_url}/badges/")
    problems += check_page(alice, "my badges")
    alice.goto(f"{installation.public_url}/session/essai/module/m1/")
    problems += check_page(alice, "module with attempts")
    assert problems == []
    address = f"{installation.public_url}/badges/{code}"
    assert anyone.request.get(f"{address}.json").status == 403, "private until she publishes it"
    alice.goto(badge)
    alice.get_by_label("Publier ce badge").check()
    alice.get_by_role("button", name="Enregistrer mes choix").click()
    expect(alice.get_by_label("Publier ce badge")).to_be_checked()
    document = anyone.request.get(f"{address}.json")
    assert document.status == 200
    credential = json.loads(document.text())
    assert "OpenBadgeCredential" in credential["type"]
    assert credential["proof"]
    image = anyone.request.get(f"{address}/badge.png").body()
    anyone.goto(f"{installation.public_url}/verifier/")
    anyone.get_by_label(re.compile("fichier du badge")).set_input_files(
        files=[{"name": "badge.png", "mimeType": "image/png", "buffer": image}]
    )
    anyone.get_by_role("button", name=re.compile("Vérifier")).first.click()
    expect(anyone.get_by_text("Délivré à")).to_be_visible()
    attestation = alice.request.get(f"{address}/attestation.pdf")
    assert attestation.status == 200
    assert attestation.body().startswith(b"%PDF")


# --- what people do -----------------------------------------------------------------------------------------------------


def submit_with_nbgrader(installation: Any, page: Page, module: str, picture: people.Picture) -> None:
    page.goto(page.url.partition("/notebooks/")[0] + "/lab")
    expect(page.locator(".jp-Launcher, .jp-NotebookPanel").first).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name=re.compile("Assignment List")).click()
    panel = page.locator("#nbgrader-assignment-list, .nbgrader-assignmentsList, .jp-MainAreaWidget:visible").last
    expect(panel.get_by_text(module, exact=True).first).to_be_visible(timeout=30_000)
    picture(page, "12-nbgrader")
    row = page.locator(".list_item", has_text=module).filter(has=page.get_by_role("button", name="Submit")).first
    row.get_by_role("button", name="Submit").click()
    expect(page.locator("#submitted_assignments_list").get_by_text(module).first).to_be_visible(timeout=30_000)


def take_quiz(installation: Any, page: Page, course: Path, module: str, picture: people.Picture) -> None:
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
