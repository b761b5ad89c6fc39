"""Answers that run badly, through a real installation: the exercise costs its points and says why, in French, the others keep
theirs, the log has a line, and the next good submission is marked right.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPClientError

from tests.answers import fill_answers
from tests.installation import Installation
from tests.person import Person, ServerLost

pytestmark = pytest.mark.hub

SLOW = "Boucle sans fin, ou beaucoup trop longue (arrêtée)"
ENDED = "L’exécution s’est arrêtée à cette cellule : le code a mis fin à Python, ou a dépassé la mémoire ou le nombre"
MEMORY = "Le code demande trop de mémoire : vérifiez la taille des listes et des tableaux."
FORK = "Le système refuse un processus ou un fil de plus"
RIGHT_TO_THE_END = 5.0  # all but exercise 1.1

CASES = {
    "infinite loop": ("while True:\n    pass", (SLOW,), RIGHT_TO_THE_END),
    "os._exit": ("import os\nos._exit(0)", (ENDED,), 0.0),
    "killed by itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", (ENDED,), 0.0),
    "fork bomb": ("import os\nwhile True:\n    os.fork()", (FORK, ENDED), None),
    "memory bomb": ("blocks = []\nwhile True:\n    blocks.append(bytearray(64 << 20))", (MEMORY, ENDED), None),
}


@pytest.mark.parametrize("case", CASES)
def test_hostile_answer(
    case: str,
    open_installation: Installation,
    mallory: Person,
    good: dict[str, Any],
    next_is_right: Callable[[Person], None],
) -> None:
    code, sentences, points = CASES[case]
    since = len(open_installation.hub_log)
    mallory.write_notebook("m1", fill_answers(good, {"1.1": f"# Exercice 1.1\n{code}"}))
    assert mallory.submit("m1").url.path == "/session/essai/module/m1/"
    found = mallory.wait_for_mark("m1")
    assert found["state"] == "marked", found
    cells = {cell["exercise"]: cell for cell in found["cells"]}
    assert cells["1.1"]["points"] == 0 and not cells["1.1"]["passed"]
    assert any(sentence in cells["1.1"]["message"] for sentence in sentences), cells["1.1"]
    assert cells["1.1"]["message"] in mallory.module_page("m1")
    if points is not None:
        assert found["points"] == points, found
    if found["points"] == 0:  # the process was lost: what follows says where to look first
        assert "Corrigez d’abord cet endroit." in cells["1.4"]["message"]
        open_installation.wait_for_log(r"WARNING graders\.engine\.mark marking \S+: stopped \((died|timeout)\)", since)
    open_installation.wait_for_log(r"INFO graders\.marking attempt \d+ marked in ", since)
    next_is_right(mallory)


def test_fifty_megabytes_of_output(
    open_installation: Installation,
    mallory: Person,
    good: dict[str, Any],
    next_is_right: Callable[[Person], None],
) -> None:
    """Nothing is lost but the middle of the output: the answer is right, and what is kept of the attempt is small."""
    since = len(open_installation.hub_log)
    notebook = copy.deepcopy(good)
    answer = next(cell for cell in notebook["cells"] if "".join(cell["source"]).startswith("# Exercice 1.1"))
    answer["source"] = "".join(answer["source"]) + "\nfor _ in range(50):\n    print('x' * 1_000_000)"
    mallory.write_notebook("m1", notebook)
    mallory.submit("m1")
    found = mallory.wait_for_mark("m1")
    assert (found["state"], found["points"]) == ("marked", 6.0), found
    open_installation.wait_for_log(r"INFO graders\.marking attempt \d+ marked in ", since)
    kept = list((open_installation.state_dir / "submissions").rglob("*"))
    assert kept and max(path.stat().st_size for path in kept) < 1_000_000
    next_is_right(mallory)


FORK_UNTIL_REFUSED = """
import os, time
count = 0
try:
    while count < 20_000:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        count += 1
except OSError as error:
    print("refused", error.errno, count)
"""
MEMORY_UNTIL_REFUSED = """
import subprocess, sys
bomb = "blocks = []\\nwhile True:\\n    blocks.append(bytearray(64 << 20))"
done = subprocess.run([sys.executable, "-c", bomb], capture_output=True, text=True, timeout=60)
print("ended", done.returncode, done.stderr[-100:])
"""


@pytest.mark.parametrize("code", [FORK_UNTIL_REFUSED, MEMORY_UNTIL_REFUSED], ids=["fork bomb", "memory bomb"])
def test_bomb_in_ones_own_server(
    code: str,
    people: Callable[..., Person],
    mallory: Person,
    next_is_right: Callable[[Person], None],
) -> None:
    """It may cost its author their server, which comes back; nobody else notices."""
    alice = people("alice", started=True)
    try:
        printed = mallory.run_code(code)
    except (OSError, httpx.HTTPError, HTTPClientError, ServerLost) as lost:
        printed = f"lost: {lost}"
    assert re.search(r"refused 11 \d+|ended (-9|1)|lost", printed), printed
    assert alice.run_code("print(6 * 7)").strip() == "42"
    next_is_right(alice)
    mallory.stop_server()
    mallory.start_server()
    assert mallory.run_code("print(6 * 7)").strip() == "42"
    next_is_right(mallory)
