"""The bell between our processes: who waits is woken at once, and only for whom it waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction

from graders import doorbell
from graders.doorbell import MARKS, WORK, Doorbell, SharedDoorbell, ring
from graders.tasks import enqueue_marking


@pytest.fixture(autouse=True)
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(doorbell, "settings", SimpleNamespace(ENVIRONMENT=SimpleNamespace(run_dir=tmp_path)))
    return tmp_path


def test_who_waits_is_woken_at_once() -> None:
    with Doorbell(WORK) as bell:
        threading.Timer(0.1, ring, (WORK, "7")).start()
        began = time.monotonic()
        assert bell.wait(30) == {"7"}
        assert time.monotonic() - began < 20
        assert bell.wait(0.05) == set(), "and it rings once"


def test_a_bell_of_another_name_is_not_heard() -> None:
    with Doorbell(WORK) as bell:
        ring(MARKS)
        assert bell.wait(0.1) == set()


def test_ringing_for_nobody_or_for_the_dead_does_nothing(run_dir: Path) -> None:
    ring(WORK)
    code = f"import socket; s = socket.socket(1, 2); s.bind({str(run_dir / 'bells' / WORK / 'dead')!r})"
    with Doorbell(WORK) as bell:
        subprocess.run([sys.executable, "-c", code], check=True)  # ends without closing it, as one that was killed
        ring(WORK)
        assert bell.wait(5) == {""}
        assert [path.name for path in (run_dir / "bells" / WORK).iterdir()] == [bell._path.name]
    assert list((run_dir / "bells" / WORK).iterdir()) == []


def test_a_full_bell_never_holds_up_who_rings() -> None:
    with Doorbell(WORK) as bell:
        for _ in range(5000):
            ring(WORK, "x")
        assert bell.wait(5) == {"x"}


def test_each_waits_for_one_person_only(run_dir: Path) -> None:
    async def scene() -> tuple[bool, bool]:
        with SharedDoorbell.about(MARKS, "1") as first, SharedDoorbell.about(MARKS, "2") as second:
            assert len(list((run_dir / "bells" / MARKS).iterdir())) == 1, "one bell for both"
            await asyncio.to_thread(ring, MARKS, "2")
            await asyncio.wait_for(second.wait(), 10)
            seen = first.is_set(), second.is_set()
        assert list((run_dir / "bells" / MARKS).iterdir()) == []
        return seen

    assert asyncio.run(scene()) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_workers_are_rung_after_the_commit_and_not_before(submit: Callable[..., Any], alice: Any) -> None:
    attempt = submit(alice)
    with Doorbell(WORK) as bell:
        with transaction.atomic():
            enqueue_marking(attempt)
            assert bell.wait(0.1) == set()
        assert bell.wait(5) == {""}
