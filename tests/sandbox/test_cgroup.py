"""What a sandbox may use of the processor: real groups of this machine, and cgroup v2's files as its documentation has them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandbox import cgroup
from sandbox.cgroup import Cgroups, find_cgroups
from sandbox.limits import Limits
from sandbox.profile import GRADING, SERVER, CpuShare

LIMITS = Limits(memory_bytes=1 << 29, processes=64, cpu_s=None, file_bytes=1 << 20, open_files=64)
BURN = "import time\nend, n = time.monotonic() + {s}, 0\nwhile time.monotonic() < end: n += sum(range(1000)) > 0\nresult = n"


def test_shares_are_a_profiles(tmp_path):
    """Marking gives way to who waits for a page; nobody has more than a cap."""
    assert SERVER.cpu.weight > GRADING.cpu.weight and SERVER.cpu.cores
    folder = tmp_path / "one"
    for version, files in ((1, ("cpu.shares", "cpu.cfs_quota_us")), (2, ("cpu.weight", "cpu.max"))):
        folder.mkdir(exist_ok=True)
        for name in files:
            (folder / name).touch()
        Cgroups({"cpu": tmp_path}, version).make("one", LIMITS, CpuShare(weight=50, cores=1.5))
        written = [(folder / name).read_text() for name in files]
        assert written == (["512", "150000"] if version == 1 else ["50", "150000 100000"])


@pytest.mark.parametrize("offered", ["cpu io memory pids", "memory pids"])
def test_version_2_as_documented(tmp_path, monkeypatch, offered):
    """Not on a kernel (none of version 2 was at hand): the files, their texts and their order, in a folder like it."""
    own = Path(
        next(x for x in Path("/proc/self/cgroup").read_text().splitlines() if x.startswith("0::"))[3:].lstrip("/")
    )
    own = tmp_path / own
    (own / "run-forkd").mkdir(parents=True)
    (own / "run" / "alice").mkdir(parents=True)
    (own / "cgroup.controllers").write_text(f"{offered}\n")
    for folder in (own / "run", own / "run" / "alice"):
        for name in ("cpu.weight", "cpu.max", "memory.max", "memory.swap.max", "pids.max"):
            if name.partition(".")[0] in offered:
                (folder / name).touch()
    groups = find_cgroups("run", tmp_path)
    assert groups.version == 2 and groups.counts_memory
    assert (own / "run-forkd" / "cgroup.procs").read_text() == str(os.getpid())
    handed = " ".join(f"+{c}" for c in ("memory", "pids", "cpu") if c in offered)
    assert (
        (own / "cgroup.subtree_control").read_text() == (own / "run" / "cgroup.subtree_control").read_text() == handed
    )
    procs = groups.make("alice", LIMITS, SERVER.cpu)
    assert procs == (own / "run" / "alice" / "cgroup.procs",)
    values = {file.name: file.read_text() for file in (own / "run" / "alice").iterdir()}
    expected = {"memory.max": str(1 << 29), "memory.swap.max": "0", "pids.max": "64"}
    assert values == expected | ({"cpu.weight": "100", "cpu.max": "200000 100000"} if "cpu" in offered else {})


def test_without_the_controllers_nothing_is_counted(tmp_path):
    own = tmp_path / Path("/proc/self/cgroup").read_text().rpartition("0::/")[2].strip()
    own.mkdir(parents=True, exist_ok=True)
    (own / "cgroup.controllers").write_text("hugetlb\n")
    assert find_cgroups("run", tmp_path) == Cgroups({}, 0)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_a_crowd_has_the_share_of_one(daemon):
    """Sixty busy processes of one learner against one of another: the second keeps half of the processor, and gets its answer."""
    if not (cgroup.ROOT / "cpu").is_dir():
        pytest.skip("no cpu controller here")
    crowd, single = daemon.child("crowd", 200_120), daemon.child("lonely", 200_121)
    pin = f"os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    try:
        alone = single.run(pin + BURN.format(s=1))
        crowd.run(
            pin + "import subprocess, sys\nfor _ in range(50): subprocess.Popen(['bash', '-c', 'while :; do :; done'])"
        )
        time.sleep(0.5)
        beside = single.run(BURN.format(s=2)) / 2
    finally:
        for child in (crowd, single):
            child.sandbox.kill()
            assert child.sandbox.wait(5)
    print(f"alone {alone:.0f}/s, beside fifty {beside:.0f}/s")
    # Without shares it would be a fifty-first.
    assert beside > alone / 5
    folder = cgroup.ROOT / "cpu"
    assert not list(folder.glob("*/crowd")), "an ended sandbox leaves no group"
