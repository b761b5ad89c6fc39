"""What needs no sandbox: requests, limits, and which folders are visible."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.errors import SandboxRefused
from sandbox.filesystem import find_outermost
from sandbox.limits import Limits, load_limits
from sandbox.process import find_start_time, is_alive
from sandbox.request import EndAll, Request, Signal, load_request
from sandbox.service import find_hidden_ancestor

LIMITS = Limits(memory_bytes=1 << 29, processes=64, cpu_s=10, file_bytes=1 << 20, open_files=64)


@pytest.mark.parametrize(
    "request_",
    [
        Request("server", "alice", 200_000, LIMITS),
        Request("grading", "a-1", None, LIMITS),
        Signal(4, 5, True),
        EndAll(),
    ],
)
def test_a_request_reads_back(request_):
    assert load_request(request_.as_line()) == request_


def test_a_request_is_exactly_its_fields():
    fields = json.loads(Request("server", "alice", 200_000, LIMITS).as_line()) | {"argv": []}
    with pytest.raises(SandboxRefused):
        load_request(json.dumps(fields).encode())


@pytest.mark.parametrize("wrong", [None, [], {}, {"memory_bytes": 1}, LIMITS.as_dict() | {"cpu_s": "1"}])
def test_wrong_limits_are_refused(wrong):
    with pytest.raises(ValueError, match="limits"):
        load_limits(wrong)


def test_visible_folders_are_outermost():
    paths = [Path("/usr/lib/python3"), Path("/opt/a/b"), Path("/opt/a"), Path("/opt/ab"), Path("/opt/a")]
    assert find_outermost(paths) == (Path("/opt/a"), Path("/opt/ab"))


def test_a_process_is_named_by_pid_and_start():
    child = subprocess.Popen(["sleep", "100"])
    start_time = find_start_time(child.pid)
    assert is_alive(child.pid, start_time) and not is_alive(child.pid, start_time + 1)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(child.pid, start_time), "a zombie is dead"
    child.wait()
    assert find_start_time(child.pid) is None


def test_hidden_ancestor_is_the_topmost(tmp_path):
    outer = tmp_path / "outer"
    inner = outer / "inner" / "deep"
    inner.mkdir(parents=True)
    hidden = next((p for p in reversed(inner.parents) if not p.stat().st_mode & stat.S_IXOTH), None)
    (outer / "inner").chmod(0o700)
    outer.chmod(0o700)
    assert find_hidden_ancestor(inner, 54321, 54321) == (hidden or outer)
    assert find_hidden_ancestor(Path("/usr/bin"), 54321, 54321) is None


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_a_service_is_an_ordinary_user_that_sees_what_it_needs(tmp_path):
    """As uid 65534: Python under its private folder, what was named, and nothing beside it; never a capability again."""
    private = tmp_path / "private"
    for name in ("clone", "clone/state", "secret"):
        (private / name).mkdir(parents=True)
        (private / name / "file").write_text(name)
    private.chmod(0o700)
    os.chown(private / "clone" / "state", 65534, 65534)
    script = f"""
import os, json, ssl, sqlite3
from pathlib import Path
p = Path({str(private)!r})
(p / "clone/state/written").write_text("x")
refused = []
for action in (lambda: (p / "clone/new").write_text("x"), lambda: os.setuid(0), lambda: os.listdir("/root/.ssh"),
               lambda: (p / "secret/file").read_text()):
    try: action()
    except OSError: refused.append(True)
status = dict(l.split(":\\t", 1) for l in open("/proc/self/status") if ":\\t" in l)
print(json.dumps([os.getuid(), os.getgroups(), sorted(os.listdir(p)), (p / "clone/file").read_text(), len(refused),
                  int(status["CapBnd"], 16), int(status["CapEff"], 16), status["NoNewPrivs"].strip()]))
"""
    code = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from sandbox.service import enter_service; "
        "enter_service(65534, 65534, visible=[Path(sys.base_prefix), Path(sys.prefix), Path(sys.argv[2]) / 'clone'], "
        "writable=[Path(sys.argv[2]) / 'clone/state']); os.execv(sys.executable, [sys.executable, '-c', sys.argv[3]])"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, root, str(private), script], capture_output=True, text=True, cwd="/", timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [65534, [], ["clone"], "clone", 4, 0, 0, "1"]
    assert (private / "clone" / "state" / "written").exists() and private.stat().st_mode & 0o777 == 0o700
