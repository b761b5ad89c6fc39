"""Who runs as whom, read from /proc/PID/status of each process of a real installation started as root."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.environment import load_environment
from hub.launch.process import read_process
from tests.installation import Installation
from tests.person import Person

pytestmark = [pytest.mark.hub, pytest.mark.root]


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def descendants_of(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        yield int(child)
        yield from descendants_of(int(child))


def uids_of(pid: int) -> set[int]:
    return {int(uid) for uid in status_of(pid)["Uid"].split()}


@pytest.fixture
def pids(open_installation: Installation) -> tuple[int, int]:
    if os.geteuid() != 0:
        pytest.skip("only root gives each one a uid")
    run_dir = load_environment(open_installation.variables).run_dir
    hub, forkd = read_process(run_dir / "hub.pid"), read_process(run_dir / "forkd.pid")
    assert hub and forkd
    return hub.pid, forkd.pid


def test_the_hub_and_what_it_manages_are_the_system_user(pids: tuple[int, int]) -> None:
    service = pwd.getpwnam("pupitre").pw_uid
    processes = [pids[0], *descendants_of(pids[0])]
    assert len(processes) >= 6, "Hub, proxy, portal, two workers, culler"
    for pid in processes:
        assert uids_of(pid) == {service}, status_of(pid)["Name"]
        assert int(status_of(pid)["CapEff"], 16) == 0
        assert int(status_of(pid)["CapBnd"], 16) == 0
        assert status_of(pid)["NoNewPrivs"] == "1"


def test_forkd_alone_is_root_with_its_nursery_and_both_environments_are_empty(pids: tuple[int, int]) -> None:
    roots = [pid for pid in (pids[1], *descendants_of(pids[1])) if 0 in uids_of(pid)]
    assert [status_of(pid)["Name"] for pid in roots[1:]] == ["sandbox-nursery"], "and nothing else"
    for pid in roots:
        assert uids_of(pid) == {0}
        assert status_of(pid)["Threads"] == "1"
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert not [name for name in variables if b"PUPITRE" in name or b"TOKEN" in name]


def test_a_learners_server_has_a_uid_of_its_own_and_no_privilege(
    pids: tuple[int, int], people: Callable[..., Person], good: dict[str, Any]
) -> None:
    people("alice", started=True)
    learners = [pid for pid in descendants_of(pids[1]) if uids_of(pid) != {0}]
    assert learners
    for pid in learners:
        assert min(uids_of(pid)) >= 100_000
        assert int(status_of(pid)["CapEff"], 16) == 0
        assert status_of(pid)["NoNewPrivs"] == "1"
        assert status_of(pid)["Seccomp"] == "2"
