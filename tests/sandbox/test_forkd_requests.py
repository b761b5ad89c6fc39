"""forkd's door: who may ask, what may be asked, and what happens when forkd itself comes and goes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sandbox.client import Forkd, Request
from sandbox.errors import SandboxRefused, SandboxUnavailable
from sandbox.process import find_start_time
from tests.sandbox.forkd_daemon import LIMITS, ORDINARY_UID, Daemon, running_daemon

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]


def ask(daemon: Daemon, line: bytes) -> dict:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(daemon.folder / "forkd.sock"))
        connection.sendall(line)
        connection.settimeout(10)
        return json.loads(connection.makefile("rb").readline())


GOOD = {"action": "start", "profile": "server", "label": "x", "uid": 200_500, "limits": LIMITS.as_dict()}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"profile": "service"}, "bad_profile"),
        ({"profile": 3}, "bad_profile"),
        ({"label": "../alice"}, "bad_label"),
        ({"label": "a/b"}, "bad_label"),
        ({"label": ""}, "bad_label"),
        ({"label": "Alice"}, "bad_label"),
        ({"label": "x\n"}, "bad_label"),
        ({"label": "x" * 65}, "bad_label"),
        ({"uid": 0}, "bad_uid"),
        ({"uid": 1000}, "bad_uid"),
        ({"uid": 199_999}, "bad_uid"),
        ({"uid": 2_000_000}, "bad_uid"),
        ({"uid": None}, "bad_uid"),
        ({"uid": True}, "bad_uid"),
        ({"uid": 200_500.0}, "bad_uid"),
        ({"profile": "grading"}, "bad_uid"),
        ({"limits": {}}, "bad_request"),
        ({"limits": LIMITS.as_dict() | {"memory_bytes": -1}}, "bad_request"),
        ({"limits": LIMITS.as_dict() | {"nice": 1}}, "bad_request"),
        ({"command": ["/bin/sh"]}, "bad_request"),
        ({"home": "/etc"}, "bad_request"),
        ({"action": "run"}, "bad_request"),
    ],
)
def test_bad_requests_start_nothing(daemon, change, code):
    before = daemon.log.count(" start ")
    assert ask(daemon, json.dumps(GOOD | change).encode() + b"\n")["code"] == code
    assert daemon.log.count(" start ") == before
    assert f"refused code={code}" in daemon.log


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{\n", b"[" * 3000 + b"\n", b"x" * 5000, b"\xff\xfe\n"])
def test_what_is_no_request_is_refused(daemon, line):
    assert ask(daemon, line)["code"] == "bad_request"
    assert daemon.child("still-there", None, "grading").run("result = 1") == 1


def test_only_the_owner_and_root_may_ask(installation):
    with running_daemon(installation, owner=65534) as daemon:
        door = daemon.folder / "forkd.sock"
        assert (door.stat().st_uid, door.stat().st_mode & 0o777) == (65534, 0o600)
        door.chmod(0o666)  # even then, forkd asks the kernel who speaks
        send = 's.sendall(b\'{"action": "end_all"}\\n\'); '
        for uid, sent, answer in ((65534, send, b'{"ended"'), (65533, "", b'{"code": "forbidden"')):
            script = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(door)!r}); {sent}print(s.recv(99).decode())"
            # The system's Python: ours may lie under a private /root.
            said = subprocess.run(
                ["/usr/bin/python3", "-c", script], user=uid, group=uid, extra_groups=[], capture_output=True, cwd="/"
            )
            assert said.stdout.startswith(answer), (uid, said)
        assert "uid 65533 may not ask" in daemon.log


def test_a_label_runs_once(daemon):
    child = daemon.child("single", 200_502)
    with pytest.raises(SandboxRefused) as error:
        daemon.child("single", 200_502)
    assert error.value.code == "already_running"
    assert child.run("result = 1") == 1, "the first one was left alone"


@pytest.mark.parametrize("kind", ["link", "file", "foreign"])
def test_a_strange_home_is_refused(daemon, kind):
    home, target = daemon.folder / "homes" / f"home-{kind}", daemon.folder / "target"
    target.mkdir(exist_ok=True)
    if kind == "link":
        os.chown(target, 200_503, 200_503)
        home.symlink_to(target)
    elif kind == "file":
        home.write_text("")
    else:
        home.mkdir()
    before = target.stat()
    with pytest.raises(SandboxRefused) as error:
        daemon.child(f"home-{kind}", 200_503)
    assert error.value.code == "home_refused"
    assert target.stat() == before, "nothing was touched"
    assert not (daemon.folder / "servers" / f"home-{kind}.sock").exists()


def test_a_home_is_kept(daemon):
    first = daemon.child("keeper", 200_504)
    first.run("open(os.environ['HOME'] + '/kept', 'w').write('work')")
    first.sandbox.kill()
    assert first.sandbox.wait(5)
    time.sleep(0.1)
    assert daemon.child("keeper", 200_504).run("result = open(os.environ['HOME'] + '/kept').read()") == "work"


def test_grading_uids_differ(daemon):
    uids = {daemon.child(f"run-{n}", None, "grading").run("result = os.getuid()") for n in range(3)}
    assert len(uids) == 3 and all(100_000 <= uid < 200_000 for uid in uids)


def test_a_foreign_process_is_not_signalled(daemon):
    sleeper = subprocess.Popen(["sleep", "100"])
    try:
        request = {"action": "signal", "pid": sleeper.pid, "start_time": find_start_time(sleeper.pid), "kill": True}
        assert ask(daemon, json.dumps(request).encode() + b"\n")["code"] == "no_such_process"
        child = daemon.child("mine", 200_505)
        request |= {"pid": child.sandbox.pid, "start_time": child.sandbox.start_time + 1}
        assert ask(daemon, json.dumps(request).encode() + b"\n")["code"] == "no_such_process"
        assert sleeper.poll() is None and child.sandbox.alive()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_owner_ends_a_child_of_another_uid(daemon):
    """The Hub is not root: it may not signal a learner's process, so forkd does it."""
    child = daemon.child("ended", 200_506)
    request = {"action": "signal", "pid": child.sandbox.pid, "start_time": child.sandbox.start_time, "kill": False}
    assert ask(daemon, json.dumps(request).encode() + b"\n") == {"signalled": "ended"}
    assert child.sandbox.wait(5), "SIGTERM is passed on by the sandbox's init"


def test_a_listening_socket_is_there_before_the_child(daemon):
    child = daemon.child("listener", 200_507)
    path = child.sandbox.socket
    assert path.stat().st_mode & 0o777 == 0o600 and Path(f"{path}:80").resolve() == path
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(f"{path}:80")
        child.run("c, _ = listen.accept(); c.sendall(b'hello'); c.close()")
        assert caller.recv(5) == b"hello"
    child.sandbox.kill()
    child.sandbox.wait(5)
    deadline = time.monotonic() + 5
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not path.exists() and not Path(f"{path}:80").is_symlink()


def test_forkd_comes_back_and_finds_its_children(installation):
    """Case 1: killed with -9. Case 2: told to end. The children go on, are found again, and their ends are seen."""
    with running_daemon(installation) as daemon:
        server, run = daemon.child("alice", 200_600), daemon.child("attempt", None, "grading")
        for end in (daemon.crash, lambda: (daemon.process.terminate(), daemon.process.wait(10))):
            end()
            with pytest.raises(SandboxUnavailable):
                daemon.forkd.end_all()
            assert server.run("result = 1") == run.run("result = 1") == 1
            daemon.start()
            assert f"found again label=alice profile=server pid={server.sandbox.pid}" in daemon.log
            with pytest.raises(SandboxRefused) as error:
                daemon.child("alice", 200_600)
            assert error.value.code == "already_running"
        assert daemon.child("attempt", None, "grading").run("result = os.getuid()") != run.run("result = os.getuid()")
        found = daemon.forkd.find(server.sandbox.pid, server.sandbox.start_time)
        found.kill()
        assert found.wait(5)
        found.close()
        time.sleep(0.2)
        assert "end label=alice profile=server" in daemon.log
        assert daemon.child("alice", 200_600).run("result = 1") == 1


def test_two_forkds_do_not_share_a_door(daemon):
    second = subprocess.run(daemon.command(), capture_output=True, text=True, env={}, timeout=30, cwd="/")
    assert second.returncode == 78 and "another forkd listens" in second.stderr


def test_nothing_private_is_made_visible(daemon):
    """A visible folder that holds homes or sockets is a mistake that must not start."""
    command = [*daemon.command(), "--read-only", str(daemon.folder.parent)]
    refused = subprocess.run(command, capture_output=True, text=True, env={}, timeout=30, cwd="/")
    assert refused.returncode == 78 and "which every learner sees" in refused.stderr


def test_end_all(installation):
    with running_daemon(installation) as daemon:
        children = [daemon.child(f"child-{n}", 200_700 + n) for n in range(3)]
        assert daemon.forkd.end_all() == 3
        assert all(child.sandbox.wait(5) for child in children)


def test_ten_births_and_deaths_leave_nothing(daemon):
    """No zombie, descriptor, cgroup or file stays behind."""
    daemon.child("warm", 200_800).sandbox.kill()
    time.sleep(0.2)

    def count() -> tuple[int, int, int]:
        pid = daemon.process.pid
        zombies = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        files = [f for f in (daemon.folder / "servers").iterdir() if f.name.startswith("cycle")]
        return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(zombies), len(files)

    before = count()
    for n in range(10):
        child = daemon.child(f"cycle-{n}", 200_801 + n)
        child.sandbox.kill()
        assert child.sandbox.wait(5)
    deadline = time.monotonic() + 5
    while count() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert count() == before
    groups = [p for root in ("memory", "pids") for p in Path(f"/sys/fs/cgroup/{root}").rglob("pupitre-*/cycle-*")]
    assert not [g for g in groups if g.is_dir()]


def test_forkd_stays_clean(daemon):
    """No environment, one thread, and the child's environment is never forkd's."""
    pid = daemon.process.pid
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    assert Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0") == b""


def test_without_isolation_it_is_said_and_limits_hold(installation):
    with running_daemon(installation, isolation="none", uid=ORDINARY_UID) as daemon:
        assert "NOT isolated" in daemon.log
        child = daemon.child("open", 200_900, limits=dataclasses.replace(LIMITS, open_files=64))
        assert child.run("result = [os.getuid(), os.environ['HOME']]") == [ORDINARY_UID, f"{daemon.folder}/homes/open"]
        assert child.run("import resource; result = resource.getrlimit(resource.RLIMIT_NOFILE)[0]") == 64
        script = "import subprocess; result = [subprocess.Popen(['sleep', '1000'], start_new_session=True).pid for _ in 'abc']"
        pids = child.run(script)
        child.sandbox.end()
        assert child.sandbox.wait(5)
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "its orphans were killed"


def test_without_isolation_a_private_folder_is_named(daemon):
    """As root and without namespaces, a learner's uid must cross every folder by itself."""
    private = daemon.folder / "private"
    private.mkdir(mode=0o700)
    command = [part.replace(f"{daemon.folder}/homes", f"{private}/homes") for part in daemon.command()]
    refused = subprocess.run(
        [*command, "--isolation", "none"], capture_output=True, text=True, env={}, timeout=30, cwd="/"
    )
    assert refused.returncode == 78 and "learners cannot cross" in refused.stderr


def test_without_forkd_it_is_unavailable(tmp_path):
    with pytest.raises(SandboxUnavailable) as error:
        Forkd(tmp_path / "nobody.sock").start(Request("grading", "x", None, LIMITS))
    assert error.value.code == "forkd_unavailable" and isinstance(error.value, OSError)


def test_a_child_that_dies_closes_its_channel(installation):
    with running_daemon(installation, entries={"server": "dying_child", "grading": "dying_child"}) as daemon:
        server = daemon.child("dead", 200_901)
        server.sandbox.channel.sendall(b"x")
        server.sandbox.channel.settimeout(20)
        assert server.sandbox.channel.recv(1) == b""
        assert server.sandbox.wait(5)
        assert "the disk of the learner is full" in server.sandbox.log.read_text()
        run = daemon.child("dead-run", None, "grading")
        run.sandbox.channel.sendall(b"x")
        assert run.sandbox.wait(20)
        time.sleep(0.2)
        assert "end label=dead profile=server" in daemon.log and "code=3" in daemon.log
        assert "tail='the disk of the learner is full" in daemon.log
        assert not list((daemon.folder / "log").glob("grading*"))


def test_sigterm_leaves_children_alive(installation):
    with running_daemon(installation) as daemon:
        child = daemon.child("survivor", 200_902)
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(10) == 0
        assert child.run("result = 1") == 1
        assert not (daemon.folder / "forkd.sock").exists()
