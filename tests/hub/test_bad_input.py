"""What is no answer, or may not be sent, given to a real installation: each time a French sentence for the learner, a line
in the log, no attempt, and the next good submission marked right.
"""

from __future__ import annotations

import copy
import html
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.installation import Installation
from tests.person import Person

pytestmark = pytest.mark.hub
NextIsRight = Callable[[Person], None]
MEGABYTE = 1_000_000


def shown(answer: httpx.Response) -> str:
    """The text of a page, as it is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def notebook_file(person: Person, module: str = "m1") -> str:
    return f"/home/{person.hub_name}/essai/{module}/exercices.ipynb"


def test_not_a_notebook(open_installation: Installation, mallory: Person, next_is_right: NextIsRight) -> None:
    since, before = len(open_installation.hub_log), len(mallory.attempts("m1"))
    mallory.run_code(f"open({notebook_file(mallory)!r}, 'w').write('ceci {{')")
    page = mallory.submit("m1")
    assert "Ce fichier n’est pas un carnet Jupyter lisible : enregistrez votre carnet" in shown(page)
    open_installation.wait_for_log(r"WARNING graders\.attempts submission refused: .*essai/m1, not-a-notebook", since)
    assert len(mallory.attempts("m1")) == before
    next_is_right(mallory)


@pytest.mark.parametrize(
    ("size_bytes", "sentence", "line"),
    [
        (100 * MEGABYTE, "« essai/m1/exercices.ipynb » est trop gros pour être soumis.", "carnet_trop_gros"),
        (40 * MEGABYTE, "L’envoi est trop volumineux. Effacez les sorties", "too-large"),
        (11 * MEGABYTE, "Un fichier dépasse la limite de 10 Mo. Effacez les sorties", "too-large"),
    ],
)
def test_large_notebook(
    open_installation: Installation,
    mallory: Person,
    next_is_right: NextIsRight,
    size_bytes: int,
    sentence: str,
    line: str,
) -> None:
    """Refused by the bridge, which does not read it, by the portal before it reads it, or at the first byte too many."""
    before = len(mallory.attempts("m1"))
    mallory.run_code(
        "import json\n"
        f"file = {notebook_file(mallory)!r}\n"
        "notebook = json.load(open(file))\n"
        f"notebook['metadata']['lest'] = 'x' * {size_bytes}\n"
        "json.dump(notebook, open(file, 'w'))"
    )
    page = mallory.submit("m1")
    assert page.status_code == 413
    assert sentence in shown(page)
    open_installation.wait_for_server_log(mallory.hub_name, rf"W .*pupitre\.bridge\] GET .*pupitre/submit: {line}")
    assert len(mallory.attempts("m1")) == before
    next_is_right(mallory)


def test_large_body_at_the_door(open_installation: Installation, mallory: Person, next_is_right: NextIsRight) -> None:
    """Somebody who speaks to the door through the proxy: it may lose our answer when nobody reads what it sends (503)."""
    since, before = len(open_installation.hub_log), len(mallory.attempts("m1"))
    assert mallory.send("m1", b"x" * 100 * MEGABYTE).status_code in (413, 503)
    open_installation.wait_for_log(r"WARNING .*/assignments/m1/attempts: 413 too-large", since)
    assert len(mallory.attempts("m1")) == before
    next_is_right(mallory)


def test_another_assignment(open_installation: Installation, mallory: Person, next_is_right: NextIsRight) -> None:
    """The notebook of m2 saved in m1's place: every module has an `exercices.ipynb`."""
    since, before = len(open_installation.hub_log), len(mallory.attempts("m1"))
    mallory.open_module("m2")
    mallory.write_notebook("m1", mallory.read_notebook("m2"))
    page = mallory.submit("m1")
    assert "Ce carnet n’est pas celui de ces exercices (« exercices.ipynb ») : ouvrez-le depuis la page" in shown(page)
    open_installation.wait_for_log(r"WARNING graders\.attempts submission refused: .*essai/m1, wrong-assignment", since)
    assert len(mallory.attempts("m1")) == before
    next_is_right(mallory)


def test_not_enrolled(
    open_installation: Installation, people: Callable[..., Person], good: dict[str, Any], next_is_right: NextIsRight
) -> None:
    since, bob = len(open_installation.hub_log), people("bob", enrolled=False)
    assert "Vous n’êtes pas inscrit à « Python en trois modules »." in shown(bob.submit("m1"))
    answer = bob.send("m1", as_bytes(good))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-enrolled")
    assert answer.json()["message"].startswith("Vous n’êtes pas inscrit à cette session, ou elle est fermée")
    open_installation.wait_for_log(r"WARNING graders\.attempts submission refused: .*essai/m1, not-enrolled", since)
    next_is_right(people("alice", started=True))


def test_closed_session(
    open_installation: Installation,
    administrator: Person,
    people: Callable[..., Person],
    good: dict[str, Any],
    next_is_right: NextIsRight,
) -> None:
    """A manager closes the session: what was saved stays in the learner's home, and can be sent once it is open again."""
    alice = people("alice", started=True)
    next_is_right(alice)
    since, before = len(open_installation.hub_log), len(alice.attempts("m1"))
    set_session_state(administrator, "closed")
    try:
        assert "Cette session n’accepte plus de travaux : rien n’a été envoyé." in shown(alice.submit("m1"))
        answer = alice.send("m1", as_bytes(good))
        assert (answer.status_code, answer.json()["code"]) == (403, "session-closed")
        assert "Cette session n’accepte plus de travaux : le vôtre n’a pas été envoyé" in answer.json()["message"]
        open_installation.wait_for_log(r"attempts: 403 session-closed", since)
        assert len(alice.attempts("m1")) == before, "earlier work stays readable"
    finally:
        set_session_state(administrator, "open")
    next_is_right(alice)


def test_link_where_a_file_is_delivered(
    open_installation: Installation, mallory: Person, next_is_right: NextIsRight
) -> None:
    """Opening follows no link, overwrites nothing, and says so; submitting neither."""
    home = f"/home/{mallory.hub_name}"
    mallory.run_code(
        "import os, pathlib\n"
        f"home = pathlib.Path({home!r})\n"
        "(home / 'precieux.txt').write_text('à moi')\n"
        "(home / 'essai/m3').mkdir(parents=True, exist_ok=True)\n"
        "(home / 'essai/m3/exercices.ipynb').symlink_to(home / 'precieux.txt')"
    )
    page = mallory.open_module("m3")
    assert page.status_code == 409
    assert re.search(r"« ?(essai/m3/)?exercices\.ipynb ?» .*lien", shown(page)), shown(page)
    open_installation.wait_for_server_log(mallory.hub_name, r"W .*pupitre\.bridge\] delivery to essai/m3: place_prise")
    page = mallory.submit("m3")
    assert "« essai/m3/exercices.ipynb » est un lien ou un dossier : rien n’a été soumis." in shown(page)
    assert mallory.run_code(f"print(open('{home}/precieux.txt').read())").strip() == "à moi"
    assert mallory.attempts("m3") == []
    # The other files of the module were delivered; without the link, the notebook is too.
    assert "lecon.ipynb" in mallory.run_code(f"import os; print(os.listdir('{home}/essai/m3'))")
    mallory.run_code(f"import os; os.unlink('{home}/essai/m3/exercices.ipynb')")
    assert mallory.open_module("m3").url.path.endswith("/essai/m3/exercices.ipynb")
    next_is_right(mallory)


def test_cell_labels_removed(
    open_installation: Installation, mallory: Person, good: dict[str, Any], next_is_right: NextIsRight
) -> None:
    """Without identifiers and nbgrader's labels, the answers are recognised, marked, and the learner is told."""
    since = len(open_installation.hub_log)
    stripped = copy.deepcopy(good)
    for cell in stripped["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    stripped["nbformat_minor"] = 4
    mallory.write_notebook("m1", stripped)
    assert mallory.submit("m1").url.path == "/session/essai/module/m1/"
    found = mallory.wait_for_mark("m1")
    assert (found["state"], found["points"]) == ("marked", 6.0)
    sentence = "La cellule « ex-1-1 » avait perdu son étiquette : elle a été reconnue à son contenu ou à sa place."
    assert sentence in mallory.module_page("m1")
    open_installation.wait_for_log(r"INFO graders\.marking attempt \d+ marked .*[1-9]\d* repairs", since)
    next_is_right(mallory)


def as_bytes(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


def set_session_state(administrator: Person, state: str) -> None:
    answer = administrator.post("/gestion/sessions/essai/etat/", state=state)
    assert answer.status_code == 200 and "La session est maintenant" in shown(answer), answer.text
