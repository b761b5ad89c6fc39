"""A badge's life in browsers: alice sees hers and publishes it, a stranger verifies it, a manager revokes it, and the page says so.

The course is completed by a shorter way than `test_main_job.py`'s: its completion is written, and the portal's own path awards the badge.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.accessibility import check_page
from tests.browser.conftest import ROOT, Visitor

pytestmark = pytest.mark.browser

Picture = Callable[[Page, str], None]
COMPLETE = """
import sys, django; django.setup()
from django.utils import timezone
from hub.portal.learning.models import Completion, Enrolment
enrolment = Enrolment.objects.get(learner__email=sys.argv[1], session__slug="essai")
for module in ("m1", "m2", "m3"):
    row, _ = enrolment.modules.get_or_create(module=module)
    row.opened_at = row.opened_at or timezone.now()
    row.auto_points, row.auto_max = 5, 6
    row.save()
Completion.objects.create(enrolment=enrolment)
"""


def _look(page: Page, picture: Picture, name: str) -> list[str]:
    """The page wide and narrow, light and dark: pictures, and what axe finds."""
    page.wait_for_load_state("networkidle")
    picture(page, name)
    problems = check_page(page, name)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)  # colours that change with a transition have changed
    picture(page, f"{name}-dark")
    page.set_viewport_size({"width": 390, "height": 844})
    picture(page, f"{name}-narrow-dark")
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(300)
    picture(page, f"{name}-narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
    return problems


def _verdict(page: Page) -> str | None:
    return page.locator("[data-state]").first.get_attribute("data-state")


def test_a_badge_from_award_to_revocation(
    installation: Any, visitor: Visitor, picture: Picture, tmp_path: Path
) -> None:
    portal = installation.public_url
    admin = visitor()
    people.enter_as_admin(installation, admin)
    alice, denis = people.join(installation, visitor, admin, "Nina Badgée", "Yann Gérant")
    people.tick_in_administration(installation, admin, "Yann Gérant", "gestionnaire")
    problems: list[str] = []

    alice.goto(f"{portal}/badges/")
    expect(alice.get_by_text("Pas encore de badge")).to_be_visible()
    people.enrol(installation, alice)
    variables = {**installation.variables, "DJANGO_SETTINGS_MODULE": "hub.portal.settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COMPLETE, people.address_of("Nina Badgée")]
    subprocess.run(command, cwd=ROOT, env=variables, check=True, timeout=120)
    assert "1 parcours" in installation.command("awardbadges")
    address = installation.link_in_message(
        people.address_of("Nina Badgée"), rf"{re.escape(portal)}/badges/[0-9A-Z-]{{14}}/"
    )

    alice.goto(f"{portal}/badges/")
    problems += _look(alice, picture, "badges-mine")
    alice.get_by_role("article").get_by_role("link").first.click()
    expect(alice).to_have_url(address)
    assert _verdict(alice) == "demonstration"  # the installation has a loopback address
    expect(alice.get_by_role("cell", name="5 / 8")).to_be_visible()
    problems += _look(alice, picture, "badges-award-holder")

    bob = visitor()
    bob.goto(address)
    expect(bob.get_by_role("heading", level=1)).to_be_visible()
    expect(bob.get_by_text("Badge signé (JSON)")).to_have_count(0)
    expect(bob.get_by_role("cell", name="5 / 8")).to_have_count(0)

    alice.get_by_label("Publier ce badge").check()
    alice.get_by_role("button", name="Enregistrer mes choix").click()
    expect(alice.get_by_text("Votre badge est publié")).to_be_visible()
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=portal)
    alice.get_by_role("button", name="Copier l’adresse").click()
    expect(alice.get_by_text("Adresse copiée.")).to_be_visible()
    assert alice.evaluate("navigator.clipboard.readText()") == address

    bob.goto(address)
    expect(bob.get_by_role("cell", name="5 / 8")).to_have_count(0)  # published without the marks
    problems += _look(bob, picture, "badges-award-public")
    files: dict[str, Path] = {}
    for label, name in [("Badge en image (PNG)", "badge.png"), ("Badge signé (JSON)", "badge.json")]:
        with bob.expect_download() as download:
            bob.get_by_role("link", name=label).click()
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    content = alice.request.get(f"{address}attestation.pdf").body()
    files["attestation.pdf"] = tmp_path / "attestation.pdf"
    files["attestation.pdf"].write_bytes(content)

    bob.goto(f"{portal}/verifier/")
    problems += _look(bob, picture, "badges-verifier")
    for file in files.values():
        bob.goto(f"{portal}/verifier/")
        bob.get_by_label("Ou fichier du badge").set_input_files(file)
        bob.get_by_role("button", name="Vérifier").click()
        assert _verdict(bob) == "demonstration", file
        expect(bob.get_by_text("Nina Badgée")).to_be_visible()
    problems += _look(bob, picture, "badges-verified")
    forged = files["badge.json"].read_text(encoding="utf-8").replace("Nina Badgée", "Mallory")
    (tmp_path / "forged.json").write_text(forged, encoding="utf-8")
    bob.goto(f"{portal}/verifier/")
    bob.get_by_label("Ou fichier du badge").set_input_files(tmp_path / "forged.json")
    bob.get_by_role("button", name="Vérifier").click()
    assert _verdict(bob) == "invalid"
    bob.goto(f"{portal}/verifier/")
    bob.get_by_label("Ou adresse du badge").fill(address)
    bob.get_by_role("button", name="Vérifier").click()
    expect(bob).to_have_url(address)

    denis.goto(address)
    denis.get_by_label("Motif de la révocation").fill("Travail d’une autre personne")
    problems += _look(denis, picture, "badges-award-manager")
    denis.get_by_role("button", name="Révoquer définitivement").click()
    expect(denis.get_by_text("Le badge est révoqué.")).to_be_visible()
    bob.reload()
    assert _verdict(bob) == "revoked"
    expect(bob.get_by_text("Travail d’une autre personne")).to_have_count(0)
    problems += _look(bob, picture, "badges-award-revoked")
    for file in files.values():
        bob.goto(f"{portal}/verifier/")
        bob.get_by_label("Ou fichier du badge").set_input_files(file)
        bob.get_by_role("button", name="Vérifier").click()
        assert _verdict(bob) == "revoked", file
    installation.link_in_message(people.address_of("Nina Badgée"), "Motif : Travail d’une autre personne")

    admin.goto(f"{portal}/gestion/sessions/essai/presence/")
    row = admin.get_by_role("row", name=re.compile("Nina Badgée"))
    row.get_by_role("checkbox").check()
    problems += _look(admin, picture, "session-presence")
    admin.get_by_role("button", name="Enregistrer les présences").click()
    expect(admin.get_by_text("Les présences sont enregistrées.")).to_be_visible()
    document = admin.request.get(f"{portal}/gestion/sessions/essai/document.pdf")
    assert document.body().startswith(b"%PDF-1.7")
    (ROOT / "tests" / "artifacts" / "session.pdf").write_bytes(document.body())
    (ROOT / "tests" / "artifacts" / "attestation.pdf").write_bytes(content)
    assert not problems, "\n".join(problems)
