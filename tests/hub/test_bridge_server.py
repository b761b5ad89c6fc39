"""The bridge in a real Jupyter server, against a door on a unix socket: open, restore, submit, relay, trust."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hub.jupyter.bridge.relay import is_allowed
from tests.hub.bridge_door import HUB_TOKEN, LearnerServer, Portal, open_portal, sha, short_folder, start_server

NOTEBOOK = {
    "cells": [],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
LESSON = json.dumps(
    NOTEBOOK | {"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Leçon"}]}
).encode()
EXERCISES = json.dumps(NOTEBOOK).encode()
HOSTILE = "open('{mark}', 'w').write('executed')\n"
OPEN = "pupitre/open?session=s&module=m1&view="


@dataclass
class World:
    portal: Portal
    server: LearnerServer
    folder: Path


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    folder = short_folder()
    mark = folder / "mark"
    home = folder / "home"
    home.mkdir()
    for name in ("nbgrader_config.py", "voila.py", ".jupyter/nbgrader_config.py", "s/m1/nbgrader_config.py"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(HOSTILE.format(mark=mark))
    with open_portal(folder) as portal, start_server(folder, portal) as server:
        yield World(portal, server, folder)
    shutil.rmtree(folder)


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """A portal with one module, and a home where nothing was delivered."""
    portal = running.portal
    portal.files = {"lecon.ipynb": LESSON, "exercices.ipynb": EXERCISES, "data/mesures.csv": b"t;x\n0;1\n"}
    portal.calls.clear()
    portal.attempts.clear()
    portal.answers.clear()
    portal.away_calls = 0
    for name in ("s", ".pupitre", "atelier"):
        path = running.server.home / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    yield running


def test_opening_delivers_then_goes_to_the_document(world: World) -> None:
    answer = world.server.get(OPEN + "carnet")
    assert (answer.status_code, answer.headers["location"]) == (302, "/user/alice/notebooks/s/m1/exercices.ipynb")
    module = world.server.home / "s" / "m1"
    assert (module / "exercices.ipynb").read_bytes() == EXERCISES
    assert (module / "data" / "mesures.csv").read_bytes() == b"t;x\n0;1\n"
    assert {call.token for call in world.portal.calls} == {f"token {HUB_TOKEN}"}


@pytest.mark.parametrize(
    ("view", "address"), [("lecon", "voila/render/s/m1/lecon.ipynb"), ("lab", "lab/tree/s/m1/exercices.ipynb")]
)
def test_each_view_has_its_address(world: World, view: str, address: str) -> None:
    assert world.server.get(OPEN + view).headers["location"] == f"/user/alice/{address}"


def test_opening_again_downloads_nothing(world: World) -> None:
    world.server.get(OPEN + "carnet")
    world.portal.calls.clear()
    world.server.get(OPEN + "carnet")
    assert [call.path for call in world.portal.calls] == ["/api/v1/sessions/s/modules/m1/files"]


def test_two_versions_show_a_page_then_continue(world: World) -> None:
    world.server.get(OPEN + "carnet")
    (world.server.home / "s/m1/exercices.ipynb").write_text("mon travail")
    world.portal.files["exercices.ipynb"] = EXERCISES + b" "
    page = world.server.get(OPEN + "carnet")
    assert page.status_code == 200
    assert "exercices (version du " in page.text
    assert 'href="/user/alice/notebooks/s/m1/exercices.ipynb"' in page.text
    assert world.server.get(OPEN + "carnet").status_code == 302, "said once"


def test_case_16_two_tabs_deliver_one_after_the_other(world: World) -> None:
    world.server.get(OPEN + "carnet")
    (world.server.home / "s/m1/exercices.ipynb").write_text("mon travail")
    world.portal.files["exercices.ipynb"] = EXERCISES + b" "
    address, cookies = world.server.url + OPEN + "carnet", dict(world.server.client.cookies)
    with ThreadPoolExecutor(4) as tabs:
        pages = list(tabs.map(lambda _: httpx.get(address, cookies=cookies, timeout=30, trust_env=False), range(4)))
    assert sorted(page.status_code for page in pages) == [200, 302, 302, 302]
    assert len(list((world.server.home / "s" / "m1").glob("exercices (*"))) == 1


def test_a_link_in_the_way_is_a_sentence(world: World) -> None:
    module = world.server.home / "s" / "m1"
    module.mkdir(parents=True)
    (module / "exercices.ipynb").symlink_to(world.folder / "ailleurs")
    page = world.server.get(OPEN + "carnet")
    assert page.status_code == 409
    assert "exercices.ipynb » est un lien" in page.text
    assert not (world.folder / "ailleurs").exists()


def test_deleted_document_offers_the_original(world: World) -> None:
    world.server.get(OPEN + "carnet")
    notebook = world.server.home / "s/m1/exercices.ipynb"
    notebook.unlink()
    page = world.server.get(OPEN + "carnet")
    assert page.status_code == 404
    assert "Repartir de l’original" in page.text
    done = world.server.post(
        "pupitre/restore", {"session": "s", "module": "m1", "path": "exercices.ipynb"}, OPEN + "carnet"
    )
    assert done.status_code == 200
    assert notebook.read_bytes() == EXERCISES


ENGLISH = {"Accept-Language": "en-GB,en;q=0.9,fr;q=0.5"}


def test_pages_follow_the_browsers_language(world: World) -> None:
    world.server.get(OPEN + "carnet")
    (world.server.home / "s/m1/exercices.ipynb").unlink()
    page = world.server.get(OPEN + "carnet", headers=ENGLISH)
    assert '<html lang="en">' in page.text
    assert "“exercices.ipynb” is no longer in your workspace." in page.text
    assert "espace" not in page.text
    again = world.server.get(OPEN + "carnet")
    assert '<html lang="fr">' in again.text, "the language of one request is not the next one's"
    assert "« exercices.ipynb » n’est plus dans votre espace." in again.text


def test_sentences_made_in_a_thread_follow_it_too(world: World) -> None:
    module = world.server.home / "s" / "m1"
    module.mkdir(parents=True)
    (module / "exercices.ipynb").symlink_to(world.folder / "ailleurs")
    page = world.server.get(OPEN + "carnet", headers=ENGLISH)
    assert "“exercices.ipynb” is a link, a folder or a special file: nothing was written." in page.text


def test_the_portal_is_asked_in_the_language_of_the_page(world: World) -> None:
    world.server.get(OPEN + "carnet", headers=ENGLISH)
    assert {call.language for call in world.portal.calls} == {"en"}
    world.portal.calls.clear()
    world.server.get(OPEN + "carnet")
    assert {call.language for call in world.portal.calls} == {"fr"}


def test_restoring_needs_the_forms_token(world: World) -> None:
    answer = world.server.client.post(
        "pupitre/restore", data={"session": "s", "module": "m1", "path": "exercices.ipynb"}
    )
    assert answer.status_code == 403


def test_submitting_sends_the_saved_notebook_once(world: World) -> None:
    world.server.get(OPEN + "carnet")
    saved = json.dumps(NOTEBOOK | {"metadata": {"mine": True}}).encode()
    (world.server.home / "s/m1/exercices.ipynb").write_bytes(saved)
    ticket = str(uuid.uuid4())
    for _ in range(2):
        answer = world.server.get(f"pupitre/submit?ticket={ticket}&session=s&module=m1")
        assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:1/session/s/module/m1/")
    assert list(world.portal.attempts) == [ticket]
    assert world.portal.attempts[ticket]["files"]["exercices.ipynb"] == saved


def test_submitting_survives_a_portal_that_is_away_for_a_moment(world: World) -> None:
    world.server.get(OPEN + "carnet")
    world.portal.away_calls = 2
    ticket = str(uuid.uuid4())
    assert world.server.get(f"pupitre/submit?ticket={ticket}&session=s&module=m1").status_code == 302
    assert list(world.portal.attempts) == [ticket]


def test_a_portal_that_stays_away_is_a_sentence(world: World) -> None:
    world.portal.away_calls = 100
    page = world.server.get(OPEN + "carnet")
    assert page.status_code == 503
    assert "Le portail ne répond pas" in page.text
    assert "Réessayer" in page.text


def test_the_portals_refusal_is_shown_as_it_says(world: World) -> None:
    world.server.get(OPEN + "carnet")
    refusal = {"code": "session-closed", "message": "La session est fermée : <b>essayez</b> une autre."}
    world.portal.answers["POST", "/api/v1/sessions/s/assignments/m1/attempts"] = (403, refusal)
    page = world.server.get(f"pupitre/submit?ticket={uuid.uuid4()}&session=s&module=m1")
    assert page.status_code == 403
    assert "La session est fermée : &lt;b&gt;" in page.text


def test_submitting_what_is_not_there_says_what_to_do(world: World) -> None:
    page = world.server.get(f"pupitre/submit?ticket={uuid.uuid4()}&session=s&module=m1")
    assert page.status_code == 404
    assert "Ouvrez d’abord le carnet" in page.text
    assert world.portal.attempts == {}


def test_a_link_is_not_submitted(world: World) -> None:
    secret = world.folder / "secret"
    secret.write_text("secret")
    module = world.server.home / "s" / "m1"
    module.mkdir(parents=True)
    (module / "exercices.ipynb").symlink_to(secret)
    page = world.server.get(f"pupitre/submit?ticket={uuid.uuid4()}&session=s&module=m1")
    assert page.status_code == 409
    assert world.portal.attempts == {}


@pytest.mark.parametrize(
    "address",
    [
        "pupitre/open",
        "pupitre/open?session=../x&module=m1&view=carnet",
        "pupitre/open?session=s&module=m1&view=autre",
        "pupitre/open?session=inconnue&module=m1&view=carnet",
        "pupitre/submit?session=s&module=m1",
        "pupitre/submit?ticket=1&session=s&module=m1",
        "pupitre/newcourse?ticket=x",
        "pupitre/atelier/inconnu",
        "pupitre/relecture",
    ],
)
def test_bad_addresses_are_sentences(world: World, address: str) -> None:
    page = world.server.get(address)
    assert page.status_code in (400, 404)
    assert 'role="alert"' in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize(
    "address", [OPEN + "carnet", "pupitre/submit", "pupitre/restore", "pupitre/atelier/x", "pupitre/relecture"]
)
def test_every_page_needs_the_servers_owner(world: World, address: str) -> None:
    answer = httpx.get(world.server.url + address, trust_env=False)
    assert answer.status_code in (302, 403)
    assert world.portal.calls == []


def test_pages_ask_nothing_from_another_host(world: World) -> None:
    page = world.server.get("pupitre/restore?session=s&module=m1")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    for address in (
        "portal/variables.css",
        "bridge/bridge.css",
        "source-sans/index.css",
        "mathjax/tex-mml-chtml.js",
        "fontawesome/css/all.min.css",
    ):
        assert world.server.get(f"pupitre/static/{address}").status_code == 200, address
    for address in ("mathjax/../package.json", "mathjax/..%2f..%2fpackage.json", "bootstrap/package.json"):
        assert world.server.get(f"pupitre/static/{address}").status_code in (403, 404), address


def relay_client(world: World) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(world.server.relay))
    return httpx.Client(transport=transport, base_url="http://bridge/api/v1/", trust_env=False)


def test_the_relay_adds_the_token_and_passes_what_is_allowed(world: World) -> None:
    with relay_client(world) as kernel:
        assert kernel.get("me").json()["display_name"] == "Alice"
        digest = sha(LESSON)
        assert kernel.get(f"sessions/s/modules/m1/files/{digest}").content == LESSON
        client_id = str(uuid.uuid4())
        answer = kernel.post(
            "sessions/s/assignments/m1/attempts",
            data={"client_id": client_id},
            files=[("files", ("exercices.ipynb", EXERCISES))],
        )
        assert answer.status_code == 201
    assert world.portal.attempts[client_id]["files"]["exercices.ipynb"] == EXERCISES
    assert world.server.relay.stat().st_mode & 0o777 == 0o600
    assert world.server.relay.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sessions/s/gradebook"),
        ("POST", "sessions/s/gradebook/marks"),
        ("PUT", "courses/x"),
        ("GET", "drafts/12345678-1234-1234-1234-123456789012"),
        ("DELETE", "me"),
        ("GET", "me?next=http://x"),
        ("GET", "sessions/../me"),
        ("GET", "sessions/s/assignments/..%2f..%2fgradebook/files"),
        ("GET", "sessions/s/assignments/a%2fb/files"),
        ("GET", "sessions/s/assignments/%252e%252e/files"),
        ("GET", "sessions/s/assignments/a%0ab/files"),
        ("GET", "../../health"),
    ],
)
def test_the_relay_refuses_the_rest(world: World, method: str, path: str) -> None:
    with socket.socket(socket.AF_UNIX) as kernel:  # by hand: an HTTP client would tidy the path first
        kernel.connect(str(world.server.relay))
        kernel.sendall(f"{method} /api/v1/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: kernel.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"appel_interdit" in answer
    assert world.portal.calls == []


def test_the_relay_passes_names_with_accents() -> None:
    assert is_allowed("GET", "/api/v1/sessions/s/assignments/devoir%20n%C2%B0%201%20%C3%A9t%C3%A9/files")
    assert is_allowed("GET", "/api/v1/sessions/s/assignments/m1/attempts?all=1")
    assert is_allowed("DELETE", "/api/v1/sessions/s/assignments/m1")
    assert not is_allowed("DELETE", "/api/v1/sessions/s/assignments/m1/attempts")


def test_the_relay_answers_while_the_event_loop_is_held(world: World) -> None:
    """nbgrader's handlers are synchronous: here one of them waits for a kernel, and the relay still answers."""
    script = (
        "import httpx, os; c = httpx.Client(transport=httpx.HTTPTransport(uds=os.environ['PUPITRE_BRIDGE_SOCKET']));"
        "print(c.get('http://bridge/api/v1/me').json()['name'])"
    )
    environment = {"PUPITRE_BRIDGE_SOCKET": str(world.server.relay)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "u1", done.stderr


def test_files_of_the_home_are_never_executed_by_the_server(world: World) -> None:
    """A hostile nbgrader_config.py or voila.py in the home; the assignment list and validation load configuration."""
    world.server.get(OPEN + "carnet")
    (world.server.home / "s/m1/nbgrader_config.py").write_text(HOSTILE.format(mark=world.folder / "mark"))
    world.server.get("assignments")
    world.server.get("courses")
    page = world.server.get(OPEN + "lecon")
    world.server.get(page.headers["location"].removeprefix("/user/alice/"))
    xsrf = world.server.client.cookies.get("_xsrf") or ""
    world.server.client.post(
        "assignments/validate", data={"path": "s/m1/exercices.ipynb"}, headers={"X-XSRFToken": xsrf}
    )
    assert not (world.folder / "mark").exists()


def test_formgrader_is_absent_from_a_learners_server(world: World) -> None:
    assert world.server.get("formgrader/manage_assignments").status_code == 404
    assert world.server.get("formgrader").status_code == 404


def test_the_interface_is_french_and_asks_for_no_news(world: World) -> None:
    settings = world.server.get("lab/api/settings/@jupyterlab/translation-extension:plugin").json()
    assert settings["schema"]["properties"]["locale"]["default"] == "fr_FR"
    page = world.server.get("lab").text
    assert '"fetchNews"' not in page
    notification = world.server.get("lab/api/settings/@jupyterlab/apputils-extension:notification").json()
    assert notification["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert notification["schema"]["properties"]["checkForUpdates"]["default"] is False
    assert world.server.get("lab/api/translations/fr_FR").json()["data"], "the French language pack is installed"
