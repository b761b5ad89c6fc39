"""An author's whole way: from « Nouveau parcours » to a learner who opens its module.

Agathe makes a small complete course, writes in it in JupyterLab with nbgrader's Create Assignment bar, sees it as a
participant and as Voilà, publishes it; a session is opened; Armand finds it in the catalogue, enrols and opens its module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people

pytestmark = pytest.mark.browser

TITLE = "Chutes <'&\"> d’Agathe"
GREETING = "Bienvenue dans le cours d’Agathe"
SOLUTION = "(2 * h / 9.81)"


def test_from_a_new_course_to_its_first_learner(
    installation: Any, visitor: Callable[..., Page], picture: people.Picture
) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    agathe, armand = people.join(installation, visitor, admin, "Agathe Leroy", "Armand Petit")
    agathe.goto(f"{installation.public_url}/atelier/")
    expect(agathe.get_by_role("heading", name="Atelier")).to_have_count(0)
    people.tick_in_administration(installation, admin, "Agathe Leroy", "concepteur")

    # --- a new course -----------------------------------------------------------------------------------------------------
    agathe.goto(f"{installation.public_url}/atelier/")
    agathe.get_by_role("link", name="Nouveau parcours").click()
    agathe.get_by_label("Titre").fill(TITLE)
    agathe.get_by_label("Adresse courte").fill("chutes")
    picture(agathe, "30-nouveau-parcours")
    agathe.get_by_role("button", name="Créer le parcours").click()
    agathe.wait_for_url(re.compile(r"/pupitre/atelier/chutes$"), timeout=90_000)
    workshop = agathe.url
    picture(agathe, "31-atelier")

    # --- written in JupyterLab ----------------------------------------------------------------------------------------------
    agathe.get_by_role("link", name="Modifier m1/exercices.ipynb").click()
    agathe.wait_for_url(re.compile(r"/lab/tree/atelier/chutes/m1/exercices\.ipynb"), timeout=60_000)
    first = agathe.locator(".jp-MarkdownCell", has_text="Une chute libre : exercices").first
    expect(first).to_be_visible(timeout=60_000)
    agathe.get_by_role("tab", name="Create Assignment").click()
    bar = agathe.locator("#nbgrader-create_assignemnt, .nbgrader-CreateAssignmentWidget").locator("visible=true").first
    expect(bar).to_be_visible()
    expect(bar.get_by_role("combobox").filter(has_text="Manually graded answer").first).to_be_visible()
    first.dblclick()
    first.locator(".cm-content").click()
    agathe.keyboard.press("Control+a")
    agathe.keyboard.insert_text(f"# {GREETING}\n\nÀ vous de jouer.")
    agathe.keyboard.press("Shift+Enter")
    picture(agathe, "32-jupyterlab")
    people.save(agathe)

    # --- as a participant -----------------------------------------------------------------------------------------------
    agathe.goto(workshop)
    agathe.get_by_role("button", name="Préparer l’aperçu").click()
    agathe.get_by_role("link", name=re.compile("Voir les exercices")).click()
    expect(agathe.get_by_role("heading", name=GREETING)).to_be_visible(timeout=60_000)
    expect(agathe.locator(".jp-CodeCell", has_text="# Exercice 1.1").first).to_be_visible()
    assert SOLUTION not in agathe.locator(".jp-Notebook").inner_text()
    picture(agathe, "33-apercu-exercices")
    agathe.goto(workshop)
    agathe.get_by_role("button", name="Préparer l’aperçu").click()
    agathe.get_by_role("link", name=re.compile("Voir la leçon")).click()
    expect(agathe.get_by_role("slider").first).to_be_visible(timeout=60_000)
    agathe.get_by_role("link", name="Atelier").click()
    expect(agathe.get_by_role("heading", name="3. Publier")).to_be_visible()

    # --- published, opened, found ---------------------------------------------------------------------------------------
    agathe.get_by_role("button", name="Publier").click()
    expect(agathe.get_by_role("status")).to_contain_text("est publiée")
    picture(agathe, "34-publie")
    agathe.get_by_role("link", name="Voir la page du parcours").click()
    expect(agathe.get_by_role("heading", name=TITLE)).to_be_visible()
    agathe.goto(f"{installation.public_url}/atelier/")
    expect(agathe.get_by_role("link", name="version 0.1")).to_be_visible()
    admin.goto(f"{installation.public_url}/gestion/sessions/nouvelle/")
    admin.get_by_label("Parcours").select_option(label=f"{TITLE} (0.1)")
    admin.get_by_label("Titre").fill("Chutes, automne")
    admin.get_by_label("Adresse courte").fill("chutes-automne")
    admin.get_by_label("Premier jour").fill("2026-01-01")
    admin.get_by_role("button", name="Créer la session").click()
    open_session(admin)

    armand.goto(installation.public_url)
    armand.get_by_role("link", name=TITLE).first.click()
    armand.get_by_role("link", name=re.compile("Chutes, automne")).first.click()
    armand.get_by_role("button", name="S’inscrire").click()
    armand.get_by_role("link", name="Une chute libre").first.click()
    armand.get_by_role("link", name="Ouvrir le carnet").click()
    armand.wait_for_url(re.compile(r"/notebooks/chutes-automne/m1/exercices\.ipynb"), timeout=90_000)
    expect(armand.get_by_role("heading", name=GREETING)).to_be_visible(timeout=60_000)
    assert SOLUTION not in armand.locator(".jp-Notebook").inner_text()
    picture(armand, "35-premier-participant")


def open_session(manager: Page) -> None:
    """A new session is prepared; it is opened on its page."""
    manager.get_by_label("État").select_option("open")
    manager.get_by_role("button", name="Changer").click()
    expect(manager.get_by_text("La session est maintenant")).to_be_visible()
