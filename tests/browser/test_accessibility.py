"""WCAG 2.1 AA as far as a machine can tell (axe), light and dark, and 390 px wide without horizontal scroll.

Pages with something on them: an enrolment, an attempt that waits for a grader, a quiz answered wrong. An award's pages are
checked where an award is made, in test_main_job.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.accessibility import check_page, find_problems

pytestmark = pytest.mark.browser

OF_VISITORS = [
    "/",
    "/parcours/essai/",
    "/session/essai/",
    "/verifier/",
    "/compte/signup/",
    "/compte/login/",
    "/nulle-part/",
]
OF_LEARNERS = [
    "/",
    "/session/essai/",
    "/session/essai/module/m1/",
    "/session/essai/module/m9/",
    "/session/essai/module/m9/apres-depot/copies/1-copie-faible.md",
    "/session/essai/module/m1/qcm/",
    "/mes-parcours/",
    "/badges/",
]
OF_STAFF = [
    "/relecture/",
    "/relecture/essai/",
    "/relecture/essai/?voir=tous",
    "/gestion/comptes/",
    "/gestion/sessions/",
    "/gestion/sessions/essai/",
    "/gestion/sessions/nouvelle/",
    "/atelier/",
    "/atelier/nouveau/",
]


def test_axe_finds_a_fault_that_is_there(installation: Any, visitor: Callable[..., Page]) -> None:
    """The measure itself: it would see a picture without text, grey on white, a block that is too wide."""
    page = visitor()
    page.goto(installation.public_url)
    page.evaluate(
        """() => {
            const block = document.createElement("p");
            block.innerHTML = '<img src="/static/portal/favicon.svg"> gris';
            block.style.cssText = "color: #bbb; background: #fff; width: 900px";
            document.querySelector("main").append(block);
        }"""
    )
    found = " ".join(check_page(page, "page"))
    assert "image-alt" in found
    assert "color-contrast" in found
    assert "too wide" in found


def test_pages_of_the_portal_are_accessible(
    installation: Any, visitor: Callable[..., Page], picture: people.Picture
) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    (axelle,) = people.join(installation, visitor, admin, "Axelle <'&\"> Martin")
    problems = []
    stranger = visitor()
    for path in OF_VISITORS:
        stranger.goto(installation.public_url + path)
        problems += check_page(stranger, path)

    people.enrol(installation, axelle)
    people.open_notebook(installation, axelle, "m9")
    people.write_text_answer(axelle, "Une séance.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`print(1)`")
    people.save(axelle)
    people.submit_from_module_page(installation, axelle, "m9")
    expect(axelle.get_by_text("relecture attendue").first).to_be_visible(timeout=60_000)
    for path in OF_LEARNERS:
        axelle.goto(installation.public_url + path)
        problems += check_page(axelle, path)
    axelle.goto(f"{installation.public_url}/session/essai/module/m1/qcm/")
    for question in axelle.locator("fieldset.question").all():
        question.locator("input").last.check()
    axelle.get_by_role("button", name="Valider mes réponses").click()
    expect(axelle.get_by_text(re.compile("Passage 1"))).to_be_visible()
    problems += check_page(axelle, "quiz with remarks")
    axelle.get_by_label(re.compile("Mon compte")).first.click()
    problems += [f"account menu {found}" for found in find_problems(axelle)]

    for path in OF_STAFF:
        admin.goto(installation.public_url + path)
        problems += check_page(admin, path)
    admin.goto(f"{installation.public_url}/relecture/essai/?voir=tous")
    admin.get_by_role("link", name=re.compile("Axelle")).first.click()
    expect(admin.get_by_label(re.compile("Commentaire")).first).to_be_visible()
    problems += check_page(admin, "review")
    picture(admin, "50-relecture")
    assert problems == []


def test_a_lesson_in_voila_is_accessible(
    installation: Any, visitor: Callable[..., Page], picture: people.Picture
) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    (aurele,) = people.join(installation, visitor, admin, "Aurele Simon")
    people.enrol(installation, aurele)
    people.open_module(installation, aurele, "m1")
    aurele.get_by_role("link", name="Ouvrir la leçon").click()
    expect(aurele.get_by_role("slider").first).to_be_visible(timeout=90_000)
    # Not ours: the widgets themselves (ipywidgets), whose names test_lesson_widgets.py holds.
    problems = check_page(aurele, "lesson", {"exclude": [[".jp-OutputArea"]]})
    picture(aurele, "51-lecon")
    assert problems == []
