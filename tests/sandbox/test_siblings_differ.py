"""Children forked from one warm process have no random sequence in common, and none repeats after a fork of their own."""

from __future__ import annotations

import os

import pytest

from tests.sandbox.forkd_daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]
DRAW = """
import random, secrets, ssl, tempfile, uuid
import numpy as np
result = {
    "random": random.random(), "numpy": np.random.rand(), "default_rng": np.random.default_rng().random(),
    "uuid1": str(uuid.uuid1()), "uuid4": str(uuid.uuid4()), "secrets": secrets.token_hex(8),
    "ssl": ssl.RAND_bytes(8).hex(), "tempfile": next(tempfile._get_candidate_names()), "urandom": os.urandom(8).hex(),
    "sample": random.sample(range(10**9), 3), "hash": hash("a word"), "stack": id(object()),
}
"""
# The seed of str.__hash__ and the places of memory are those of the process all were forked from (docs/why/sandbox.md).
SHARED = {"hash", "stack"}


def test_no_sequence_in_common(daemon: Daemon) -> None:
    children = [daemon.child(f"sibling-{number}", 200_130 + number) for number in range(4)]
    children += [daemon.child(f"sibling-marking-{number}", None, "grading") for number in range(2)]
    drawn = [child.run(DRAW) for child in children]
    drawn += [child.run(DRAW) for child in children[:2]]
    for child in children:
        child.sandbox.kill()
        assert child.sandbox.wait(5)
    for name in drawn[0].keys() - SHARED:
        values = [str(each[name]) for each in drawn]
        assert len(set(values)) == len(values), (name, values)
