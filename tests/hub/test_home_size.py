"""A home that holds more than it should: the learner is told when they open a module, the administrator what the rule is."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from hub.jupyter.bridge.homesize import HomeSize
from tests.hub.bridge_door import open_portal, short_folder, start_server
from tests.hub.test_bridge_server import EXERCISES, OPEN


def test_told_when_a_module_is_opened_and_not_again() -> None:
    folder = short_folder()
    (folder / "home").mkdir()
    (folder / "home" / "large").write_bytes(bytes(3 << 20))
    with open_portal(folder) as portal, start_server(folder, portal, {"PUPITRE_HOME_BYTES": str(1 << 20)}) as server:
        portal.files = {"exercices.ipynb": EXERCISES}
        deadline = time.monotonic() + 40
        while (page := server.get(OPEN + "carnet")).status_code == 302:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert page.status_code == 200 and "Votre dossier est trop volumineux" in page.text
        assert re.search(r"Votre dossier occupe 0,0.Gio, et la limite est de 0,0.Gio", page.text)
        assert 'href="/user/alice/notebooks/s/m1/exercices.ipynb"' in page.text, "nothing is refused"
        assert server.get(OPEN + "carnet").status_code == 302, "said once"
    shutil.rmtree(folder)


def test_a_home_that_was_tidied_is_not_mentioned(tmp_path: Path) -> None:
    size = HomeSize(tmp_path, 1 << 20)
    assert size.take_warning() == "", "not measured yet"
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    size.measure()
    assert size.is_too_large
    (tmp_path / "large").unlink()
    size.measure()
    assert size.take_warning() == ""


@pytest.mark.django_db
def test_the_administration_says_how_programs_are_treated(admin_client: Client, settings: Any) -> None:
    page = admin_client.get("/administration/", follow=True)
    assert page.text.count("Les participants sur cette machine") == 1
    assert re.search("Un dossier personnel peut occuper 2,0.Gio", page.text) and "n’ont pas de réseau" in page.text
    assert "PUPITRE_ISOLATION=none" not in page.text


@pytest.mark.django_db
def test_without_isolation_every_management_page_says_so(admin_client: Client, client: Client, settings: Any) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, isolation="none")
    said = "Les programmes des participants tournent sans isolation (PUPITRE_ISOLATION=none)"
    for page in ("/administration/", "/gestion/comptes/", "/gestion/sessions/"):
        assert said in admin_client.get(page, follow=True).text, page
    assert said not in client.get("/", follow=True).text, "a visitor is told nothing"
