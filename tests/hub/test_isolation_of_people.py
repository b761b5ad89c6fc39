"""Two people in one installation: a hostile home costs nobody anything, a hostile name is only a name, and nobody reads,
submits for, or reaches another.
"""

from __future__ import annotations

import html
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.installation import Installation
from tests.person import Person

pytestmark = pytest.mark.hub
HOSTILE_NAME = "<'&\">"
CONFIGURATION = """
import os, pathlib
pathlib.Path("/home/{name}/execute-" + str(os.getpid())).write_text("nbgrader_config.py was executed")
c = get_config()
c.Exchange.course_id = "autre"
c.CourseDirectory.root = "/"
raise SystemExit("hostile")
"""


def test_hostile_nbgrader_configuration(
    open_installation: Installation, mallory: Person, next_is_right: Callable[[Person], None]
) -> None:
    """In every folder where nbgrader looks: no process that holds a token runs it, and nbgrader's own buttons still answer."""
    home = f"/home/{mallory.hub_name}"
    code = CONFIGURATION.replace("{name}", mallory.hub_name)
    mallory.run_code(
        "import pathlib\n"
        f"home = pathlib.Path({home!r})\n"
        "for folder in ('.', '.jupyter', '.local/etc/jupyter', 'essai', 'essai/m1'):\n"
        "    (home / folder).mkdir(parents=True, exist_ok=True)\n"
        f"    (home / folder / 'nbgrader_config.py').write_text({code!r})\n"
    )
    mallory.stop_server()
    mallory.start_server()
    listed = mallory.jupyter.get(f"/user/{mallory.hub_name}/assignments", params={"course_id": "essai"})
    assert listed.status_code == 200, listed.text
    listed_ids = {each["assignment_id"] for each in listed.json()["value"]}
    assert {"m1", "m2", "m3", "m9"} <= listed_ids
    open_installation.wait_for_server_log(mallory.hub_name, r"(?i)nbgrader")
    next_is_right(mallory)
    left = mallory.run_code(f"import pathlib; print(list(pathlib.Path({home!r}).glob('execute-*')))").strip()
    assert left == "[]"


def test_hostile_name_on_every_page(
    open_installation: Installation,
    administrator: Person,
    people: Callable[..., Person],
    mallory: Person,
    next_is_right: Callable[[Person], None],
) -> None:
    next_is_right(mallory)
    public = open_installation.public_url
    pages = {
        "own": mallory.portal.get(f"{public}/session/essai/module/m1/").text,
        "courses": mallory.portal.get(f"{public}/mes-parcours/").text,
        "bridge": mallory.open_module("m2").text,
        "accounts": administrator.portal.get(f"{public}/gestion/comptes/?etat=tous").text,
        "followed": administrator.portal.get(f"{public}/gestion/sessions/essai/").text,
        "review": administrator.portal.get(f"{public}/relecture/essai/").text,
    }
    for name, page in pages.items():
        assert HOSTILE_NAME not in page, name
    assert html.escape(HOSTILE_NAME) in pages["own"]
    assert HOSTILE_NAME in html.unescape(pages["followed"])
    assert mallory.call("GET", "me").json()["display_name"] == HOSTILE_NAME


def test_nobody_reads_another(
    open_installation: Installation,
    people: Callable[..., Person],
    mallory: Person,
    good: dict[str, Any],
    next_is_right: Callable[[Person], None],
) -> None:
    alice = people("alice", started=True)
    next_is_right(alice)
    theirs = alice.attempts("m1")[-1]["client_id"]
    # Through the door: another's attempt does not exist.
    answer = mallory.call("GET", f"sessions/essai/assignments/m1/attempts/{theirs}/files")
    assert (answer.status_code, answer.json()["message"]) == (404, "Cet essai n’existe pas.")
    refused = mallory.call("GET", "sessions/essai/assignments/m1/attempts?all=1")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    # Another's ticket of « Soumettre » is refused; an id that is no ticket makes an attempt of one's own.
    content = json.dumps(good).encode()
    answer = mallory.send("m1", content, client_id=theirs)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad-ticket")
    assert answer.json()["message"] == "Cette demande d’envoi n’est pas la vôtre : repartez de la page du module."
    common = str(uuid.uuid4())
    for person in (alice, mallory):
        assert person.send("m1", content, client_id=common).status_code == 201
        assert person.wait_for_mark("m1", common)["points"] == 6.0
        assert [each["client_id"] for each in person.attempts("m1")].count(common) == 1
    # Through the Hub and in the sandbox: neither another's server nor their home.
    assert mallory.jupyter.get(f"/user/{alice.hub_name}/api/contents").status_code in (403, 404)
    assert mallory.jupyter.post(f"/hub/api/users/{alice.hub_name}/tokens", json={}).status_code in (403, 404)
    seen = mallory.run_code("import os; print(os.listdir('/home'))").strip()
    assert seen == f"['{mallory.hub_name}']"
    state = open_installation.state_dir
    assert mallory.run_code(f"import os; print(os.path.exists({str(state)!r}))").strip() == "False"
