"""The nursery: what a child inherits from it, what it must not, and what happens when it dies."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from sandbox.client import Request
from sandbox.errors import SandboxRefused
from tests.sandbox.forkd_daemon import LIMITS, Daemon, running_daemon

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]
# The word comes backwards and the pattern holds its letters apart, so that the search does not find itself.
SEARCH = """
import re
pattern = re.compile(b''.join(b'[' + bytes([ord(letter)]) + b']' for letter in reversed(WORD)))
found = []
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
    for line in maps:
        bounds, rights = line.split()[:2]
        if not rights.startswith('rw'):
            continue
        start, end = (int(bound, 16) for bound in bounds.split('-'))
        memory.seek(start)
        try:
            content = memory.read(end - start)
        except OSError:
            continue
        found += [m.start() for m in pattern.finditer(content)]
result = len(found)
"""


def find_nursery(daemon: Daemon) -> int:
    children, deadline = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children"), time.monotonic() + 10
    while True:
        for pid in children.read_text().split():
            if b"sandbox.nursery" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        assert time.monotonic() < deadline, "no nursery"
        time.sleep(0.01)


def wait_for(daemon: Daemon, words: str, count: int = 1) -> None:
    deadline = time.monotonic() + 30
    while daemon.log.count(words) < count:
        assert time.monotonic() < deadline, daemon.log
        time.sleep(0.05)


def test_what_a_rehearsal_imports_late_is_there_from_the_start(installation):
    with running_daemon(installation, entries={"grading": "rehearsing_child"}) as daemon:
        wait_for(daemon, "nursery preloaded")
        child = daemon.child("anybody", None, "grading")
        child.sandbox.channel.sendall(b"\n")
        answer = json.loads(child.sandbox.channel.makefile("rb").readline())
        assert answer == {"warmed": ["warm"], "imported": True}
        assert "no_such_module_anywhere" not in daemon.log, "a name that is not installed is passed over in silence"


def test_a_child_inherits_no_word_about_anybody_else(daemon):
    """The name of somebody who was served before is nowhere in the memory of the next child."""
    daemon.child("nobody-must-read-this", 200_077)
    child = daemon.child("curious", 200_078)
    assert child.run(f"WORD = {'nobody-must-read-this'[::-1]!r}" + SEARCH) == 0
    assert child.run(f"WORD = {'curious'[::-1]!r}" + SEARCH) > 0, "the search does find what is there"


def test_nursery_that_is_killed_harms_nobody_and_comes_back(installation):
    with running_daemon(installation) as daemon:
        alice = daemon.child("alice", 200_001)
        killed = find_nursery(daemon)
        os.kill(killed, 9)
        bob = daemon.child("bob", 200_002)
        assert find_nursery(daemon) != killed
        assert (alice.run("result = 1"), bob.run("result = 2")) == (1, 2)
        assert "the nursery ended with -9" in daemon.log


def test_nursery_with_a_thread_forks_nothing(installation):
    with running_daemon(installation, entries={"grading": "threading_child"}) as daemon:
        with pytest.raises(SandboxRefused) as refused:
            daemon.forkd.start(Request("grading", "anybody", None, LIMITS))
        assert refused.value.code in ("system", "not_isolated")
        wait_for(daemon, "2 threads")


def test_nursery_dies_with_its_forkd_and_no_child_does(installation):
    with running_daemon(installation) as daemon:
        nursery = find_nursery(daemon)
        alice = daemon.child("alice", 200_001)
        daemon.crash()
        deadline = time.monotonic() + 10
        while (
            Path(f"/proc/{nursery}").exists()
            and "Z" not in Path(f"/proc/{nursery}/stat").read_text().rpartition(")")[2]
        ):
            assert time.monotonic() < deadline, "the nursery outlives its forkd"
            time.sleep(0.05)
        assert alice.run("result = 3") == 3
        daemon.start()
        assert daemon.child("bob", 200_002).run("result = 4") == 4


def test_environment_of_a_child_is_its_own(daemon):
    variables = daemon.child("alice-env", 200_090).run("import os; result = dict(os.environ)")
    assert variables["HOME"] == "/home/alice-env" and "MPLCONFIGDIR" not in variables
    assert set(variables) <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "OPENBLAS_NUM_THREADS",
                              "OMP_NUM_THREADS"}  # fmt: skip
