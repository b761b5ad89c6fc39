"""Thirty times kill -9, at random, of a worker or of the portal while attempts are sent and marked: every attempt arrives once,
is marked once, and its marks are right; or, if its own worker died three times, is given up with a sentence (case 18 of
`docs/reference/behaviour-submission.md`), which the log must bear out.

What was counted is kept in `bench/results/soak.txt`.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.answers import answers_of, fill_answers
from tests.installation import ROOT, Installation, make_courses, running_installation
from tests.person import Person, sign_up

pytestmark = [pytest.mark.soak, pytest.mark.hub]

KILLS = 30
LEARNERS = 4
PAUSE_S = (3.0, 9.0)
"""Between two kills."""
AT_ONCE = 3
"""A learner's attempts that may wait at the same time."""
DRAIN_S = 120.0
RESULT = ROOT / "bench" / "results" / "soak.txt"


@dataclass
class Learner:
    """Sends attempts one after the other, again and again until each is accepted, and remembers what each must earn."""

    person: Person
    variants: dict[float, dict[str, Any]]
    expected: dict[str, float] = field(default_factory=dict)
    resent: int = 0

    def work(self, stop: threading.Event, chance: random.Random) -> None:
        while not stop.is_set():
            points = chance.choice(list(self.variants))
            client_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            content = json.dumps(with_pause(self.variants[points], chance.uniform(0, 1.5))).encode()
            self.expected[client_id] = points
            while not self.send(client_id, content):
                self.resent += 1
                time.sleep(0.5)
            while not stop.is_set() and self.count_waiting() >= AT_ONCE:
                time.sleep(0.5)

    def send(self, client_id: str, content: bytes) -> bool:
        try:
            return self.person.send("m1", content, client_id=client_id).status_code in (200, 201)
        except httpx.HTTPError:
            return False

    def count_waiting(self) -> int:
        found = self.read()
        return AT_ONCE if found is None else sum(each["state"] in ("queued", "running") for each in found)

    def read(self) -> list[dict[str, Any]] | None:
        """None while the portal is away."""
        try:
            return self.person.attempts("m1")
        except (httpx.HTTPError, AssertionError):
            return None


def with_pause(notebook: dict[str, Any], pause_s: float) -> dict[str, Any]:
    """A marking that lasts: the learner's own cell sleeps."""
    cell = {"cell_type": "code", "id": "pause", "metadata": {}, "execution_count": None, "outputs": []}
    return {**notebook, "cells": [*notebook["cells"], {**cell, "source": f"import time\ntime.sleep({pause_s:.2f})"}]}


def test_thirty_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    (tmp_path / "courses").mkdir()
    courses = make_courses(tmp_path / "courses")
    (tmp_path / "state").mkdir()
    with running_installation(tmp_path / "state", courses, "soak", PUPITRE_SIGNUP="open") as installation:
        learners = make_learners(installation, courses)
        stop = threading.Event()
        threads = [
            threading.Thread(target=learner.work, args=(stop, random.Random(seed + number)))
            for number, learner in enumerate(learners)
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            killed = kill_at_random(installation, learners, chance)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        wait_until_drained(learners)
        lasted_s = time.monotonic() - began
        given_up = check(installation, learners)
        sent = sum(len(learner.expected) for learner in learners)
        again = len(re.findall(r"queued again", installation.hub_log))
        for learner in learners:
            learner.person.close()
    counted = (
        f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, seed {seed}: {sum(killed.values())} kill -9 in"
        f" {lasted_s:.0f} s ({', '.join(f'{count} of a {word}' for word, count in sorted(killed.items()))});"
        f" {sent} attempts sent, {sent - given_up} marked, once each, marks right;"
        f" {given_up} given up after three deaths of its worker; {again} markings begun again,"
        f" {sum(learner.resent for learner in learners)} calls sent again."
    )
    RESULT.write_text(f"{counted}\nmake soak\n", encoding="utf-8")
    with capsys.disabled():
        print(f"\n{counted}")


def make_learners(installation: Installation, courses: Path) -> list[Learner]:
    answers = answers_of(courses / "essai", "m1")
    wrong = {"1.1": "# Exercice 1.1\nv_kmh = 90\nv_ms = 1", "1.2": "# Exercice 1.2\nT1 = 18.5\nT2 = 64.0"}
    learners: list[Learner] = []
    for number in range(LEARNERS):
        person = sign_up(installation, f"Participant {number}", f"p{number}@exemple.fr")
        person.enrol("essai")
        if not learners:
            person.start_server()
            person.open_module("m1")
            released = person.read_notebook("m1")
        variants = {
            6.0: fill_answers(released, answers),
            5.0: fill_answers(released, {**answers, "1.1": wrong["1.1"]}),
            4.0: fill_answers(released, {**answers, **wrong}),
            0.0: released,
        }
        learners.append(Learner(person, variants))
    return learners


def kill_at_random(installation: Installation, learners: list[Learner], chance: random.Random) -> Counter[str]:
    killed: Counter[str] = Counter()
    while sum(killed.values()) < KILLS:
        time.sleep(chance.uniform(*PAUSE_S))
        word, name = chance.choice([("markingworker", "worker")] * 2 + [("hub.portal.serve", "portal")])
        if word == "markingworker":  # in the middle of a marking, if there is one soon
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and not any_running(learners):
                time.sleep(0.05)
        alive = installation.find_services(word)
        if alive:
            os.kill(chance.choice(alive).pid, signal.SIGKILL)
            killed[name] += 1
    return killed


def any_running(learners: list[Learner]) -> bool:
    return any(each["state"] == "running" for learner in learners for each in learner.read() or [])


def wait_until_drained(learners: list[Learner]) -> None:
    deadline = time.monotonic() + DRAIN_S
    for learner in learners:
        while True:
            found = learner.read()
            if found is not None and not any(each["state"] in ("queued", "running") for each in found):
                break
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


def check(installation: Installation, learners: list[Learner]) -> int:
    """How many attempts were given up; all others are marked once and right."""
    sent = given_up = 0
    for learner in learners:
        found = learner.person.attempts("m1")
        sent += len(found)
        assert Counter(each["client_id"] for each in found) == Counter(list(learner.expected)), "each arrived once"
        assert sorted(each["number"] for each in found) == list(range(1, len(found) + 1))
        for each in found:
            if each["state"] == "failed":
                assert each["code"] == "marking-failed" and "s’est interrompue 3 fois" in each["message"], each
                given_up += 1
            else:
                assert (each["state"], each["points"]) == ("marked", learner.expected[each["client_id"]]), each
    log = installation.hub_log
    assert given_up == len(re.findall(r"ERROR graders\.reaper attempt \d+ failed: its worker died 3 times", log))
    assert given_up <= KILLS // 10, "three kills each: more were not of our doing"
    stored = Counter(re.findall(r"INFO graders\.marking attempt (\d+) marked in", log))
    # A worker killed after its commit and before its line leaves none; nothing leaves two.
    assert set(stored.values()) == {1}, stored.most_common(3)
    assert sent - given_up - KILLS <= len(stored) <= sent - given_up
    return given_up
