"""Cases 3 and 16 of docs/reference/behaviour-submission.md with real processes, threads and a database file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("queue_process.py")
ROOT = Path(__file__).parents[2]


def make_environment(state: Path) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    return variables | {
        "PUPITRE_STATE_DIR": str(state),
        "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
        "PYTHONPATH": str(ROOT),
    }


def run_part(environment: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a learner, a session and an assignment."""
    state = tmp_path_factory.mktemp("queue") / "state"
    run_part(make_environment(state), "world")
    return state


@pytest.fixture
def state(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "state"))


@pytest.fixture
def environment(state: Path) -> dict[str, str]:
    return make_environment(state)


@pytest.fixture
def call(environment: dict[str, str]) -> Callable[..., Any]:
    """call("send", "3"): one part of queue_process.py, and the JSON it printed."""
    return lambda *arguments: run_part(environment, *arguments)


@pytest.fixture
def read_attempts(state: Path) -> Callable[[], list[tuple[str, int, float | None]]]:
    """(state, runs, points of its cells) of every attempt, read from the database file."""

    def read() -> list[tuple[str, int, float | None]]:
        with closing(sqlite3.connect(state / "portal.sqlite", timeout=30)) as database:
            return database.execute(
                "SELECT state, runs, (SELECT SUM(points) FROM graders_cellmark WHERE attempt_id = a.id)"
                " FROM graders_attempt AS a ORDER BY id"
            ).fetchall()

    return read


@pytest.fixture
def start_worker(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    workers: list[subprocess.Popen[bytes]] = []

    def start(log: Path, seconds: float) -> subprocess.Popen[bytes]:
        errors = log.with_suffix(f".{len(workers)}.err").open("wb")
        worker = subprocess.Popen(
            [sys.executable, SCRIPT, "work", str(log), str(seconds)], env=environment, cwd=ROOT, stderr=errors
        )
        errors.close()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait(timeout=10)


def wait_until(condition: Callable[[], bool], timeout_s: float = 90.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def test_case_03_same_client_id_at_once_is_one_attempt(
    call: Callable[..., Any], read_attempts: Callable[[], list[Any]]
) -> None:
    sent = call("send-at-once", "8")
    assert sent["failures"] == []
    assert len(sent["attempts"]) == 8
    assert len(set(sent["attempts"])) == 1
    assert read_attempts() == [("queued", 0, None)]


def test_case_16_killed_worker_leaves_nothing_stuck_nothing_twice(
    call: Callable[..., Any],
    read_attempts: Callable[[], list[Any]],
    start_worker: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    call("send", "1")
    log = tmp_path / "runs"
    log.touch()
    first = start_worker(log, 60.0)
    wait_until(lambda: "begun" in log.read_text())
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=10)
    assert read_attempts() == [("running", 1, None)]

    start_worker(log, 0.1)
    wait_until(lambda: read_attempts() == [("marked", 2, 2.0)])
    assert log.read_text().split() == ["begun", "begun", "ended"]


def test_case_15_several_workers_mark_each_attempt_once(
    call: Callable[..., Any],
    read_attempts: Callable[[], list[Any]],
    start_worker: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    call("send", "8")
    log = tmp_path / "runs"
    log.touch()
    for _worker in range(2):
        start_worker(log, 0.2)
    wait_until(lambda: read_attempts() == [("marked", 1, 2.0)] * 8)
    assert log.read_text().count("begun") == 8
