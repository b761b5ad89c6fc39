"""kill -9 of a real worker in the middle of a marking, of the real portal in the middle of a submission: the attempt arrives
and is marked, once.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hub.environment import load_environment
from hub.launch.process import Process, read_process
from tests.installation import Installation
from tests.person import Person

pytestmark = pytest.mark.hub
PATIENCE_S = 90
"""A service that died is started again by the Hub, which looks every 30 s."""


def kill(process: Process) -> None:
    assert process.alive()
    os.kill(process.pid, signal.SIGKILL)


def wait_until(happens: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if found := happens():
                return found
        except (httpx.HTTPError, AssertionError):
            pass  # the portal is away
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)


def wait_for_services(installation: Installation, word: str, count: int) -> list[Process]:
    def all_there() -> list[Process]:
        found = installation.find_services(word)
        return found if len(found) == count else []

    found: list[Process] = wait_until(all_there)
    return found


def test_worker_killed_in_the_middle_of_a_marking(
    open_installation: Installation, people: Callable[..., Person], good: dict[str, Any]
) -> None:
    """Every worker is killed while the attempt runs; it is marked all the same, once, and everything is right."""
    alice = people("alice", started=True)
    workers = wait_for_services(open_installation, "markingworker", 2)
    since = len(open_installation.hub_log)
    client_id, content = str(uuid.uuid4()), json.dumps(slowed(good, 4)).encode()
    assert alice.send("m1", content, client_id=client_id).status_code == 201
    wait_until(lambda: state_of(alice, client_id) == "running", 20)
    for worker in workers:
        kill(worker)
    assert state_of(alice, client_id) == "running"
    found = alice.wait_for_mark("m1", client_id, patience_s=PATIENCE_S)
    assert (found["state"], found["points"]) == ("marked", 6.0), found
    line = open_installation.wait_for_log(r"WARNING graders\.reaper attempt \d+ queued again", since)
    number = line.split("attempt ")[1].split()[0]
    time.sleep(5)  # whatever would mark it twice has the time to
    marked = [text for text in open_installation.hub_log[since:].splitlines() if f"attempt {number} marked in" in text]
    assert len(marked) == 1, marked
    assert [each["client_id"] for each in alice.attempts("m1")].count(client_id) == 1
    again = {process.pid for process in wait_for_services(open_installation, "markingworker", 2)}
    assert not again & {process.pid for process in workers}


def slowed(notebook: dict[str, Any], sleep_s: float) -> dict[str, Any]:
    """The same notebook with a cell of the learner's own that takes its time."""
    cell = {
        "cell_type": "code",
        "id": "lente",
        "metadata": {},
        "source": f"import time\ntime.sleep({sleep_s})",
        "execution_count": None,
        "outputs": [],
    }
    return {**notebook, "cells": [*notebook["cells"], cell]}


def state_of(person: Person, client_id: str) -> str:
    return next((each["state"] for each in person.attempts("m1") if each["client_id"] == client_id), "")


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.06])
def test_portal_killed_during_a_submission(
    after_s: float, open_installation: Installation, people: Callable[..., Person], good: dict[str, Any]
) -> None:
    """Whether it died before or after storing, sending again with the same id gives one attempt, marked right."""
    alice = people("alice", started=True)
    [portal] = wait_for_services(open_installation, "hub.portal.serve", 1)
    wait_until(lambda: alice.attempts("m1") or True)
    before = len(alice.attempts("m1"))
    client_id, content = str(uuid.uuid4()), json.dumps(good).encode()
    answers: list[int] = []

    def send() -> None:
        try:
            answers.append(alice.send("m1", content, client_id=client_id).status_code)
        except httpx.HTTPError:
            answers.append(0)

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(after_s)
    kill(portal)
    thread.join(30)
    assert answers and answers[0] in (0, 201, 500, 502, 503), answers

    page = httpx.get(f"{open_installation.public_url}/", trust_env=False, timeout=30)
    assert page.status_code == 503
    assert "Le service est occupé ou redémarre. Réessayez dans une minute." in page.text

    def accepted() -> bool:
        return alice.send("m1", content, client_id=client_id).status_code in (200, 201)

    wait_until(accepted)
    found = alice.wait_for_mark("m1", client_id)
    assert (found["state"], found["points"]) == ("marked", 6.0), found
    assert len(alice.attempts("m1")) == before + 1


def test_forkd_killed_is_started_again_and_learners_go_on(
    open_installation: Installation, people: Callable[..., Person]
) -> None:
    alice, bob = people("alice", started=True), people("bob")
    pid_file = load_environment(open_installation.variables).run_dir / "forkd.pid"
    killed = read_process(pid_file)
    assert killed
    kill(killed)
    assert alice.run_code("print(6 * 7)") == "42\n", "her server is forkd's no more, and hers"
    wait_until(lambda: (now := read_process(pid_file)) and now != killed)
    wait_until(lambda: bob.start_server() or True)
