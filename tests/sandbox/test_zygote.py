"""Forking from pid 1 of a real sandbox: who may ask, what a fork has and has not, how its end is told, and that pid 1 lives on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.limits import Limits
from sandbox.zygote import Fork
from tests.sandbox.forkd_daemon import LIMITS, ORDINARY_UID, Child, Daemon, running_daemon

PRELUDE = """
import asyncio, json, os, signal, sys, time
from sandbox import zygote
from sandbox.errors import ForkRefused
def order(statements, *, env=None, cwd="/tmp", timeout_s=20.0):
    return asyncio.run(zygote.order_fork([statements], env if env is not None else {"A": "é"}, cwd, timeout_s))
def end(fork):
    asyncio.run(asyncio.wait_for(fork.ended(), 30))
    return fork.wait()
def tell(expression, **options):
    statements = f"import json, os, sys; open('/tmp/told', 'w').write(json.dumps({expression}))"
    code = end(order(statements, **options))
    return code, json.load(open("/tmp/told"))
"""


@pytest.fixture(scope="module", params=["root", "user"])
def alice(request: pytest.FixtureRequest, installation: Path) -> Iterator[Child]:
    options = {"zygote": "forked_probe", "uid": 0 if request.param == "root" else ORDINARY_UID}
    if os.geteuid() != 0:
        if request.param == "root":
            pytest.skip("needs to be root")
        options |= {"uid": 0, "owner": os.geteuid()}
    with running_daemon(installation, **options) as daemon:
        child = daemon.child()
        child.run(PRELUDE)
        yield child


@pytest.fixture
def root_daemon(installation: Path) -> Iterator[Daemon]:
    if os.geteuid() != 0:
        pytest.skip("needs to be root")
    with running_daemon(installation, zygote="forked_probe") as daemon:
        yield daemon


def test_a_fork_is_a_child_of_pid_1_behind_the_same_walls(alice: Child) -> None:
    code, told = alice.run(
        'result = tell("[os.getppid(), os.getpid() == os.getsid(0), os.getpid() == os.getpgid(0), os.getuid(), dict(os.environ),'
        " os.getcwd(), sys.argv[0], open('/proc/self/status').read(), open('/proc/self/oom_score_adj').read(),"
        " open('/proc/self/comm').read(), os.listdir('/home')]\")"
    )
    assert code == 0
    parent, leads_session, leads_group, uid, environ, folder, name, status, score, comm, homes = told
    assert (parent, leads_session, leads_group) == (1, True, True)
    assert uid == alice.run("result = os.getuid()")
    assert environ == {"A": "é"}
    assert (folder, name, comm) == ("/tmp", "forked_probe", "forked_probe\n")
    assert homes == ["alice"]
    assert score == "900\n"
    lines = dict(line.split(":\t", 1) for line in status.splitlines())
    assert lines["NoNewPrivs"] == "1"
    assert lines["Seccomp"] == "2"
    assert lines["CapEff"].strip("0") == lines["CapPrm"].strip("0") == ""
    assert lines["Threads"] == "1"
    assert lines["Umask"] == "0077"


def test_a_fork_holds_nothing_but_its_streams(alice: Child) -> None:
    """Its end of the pair is closed by `tell_listening`; the socket for orders was never its own."""
    links = "{fd: os.readlink('/proc/self/fd/' + fd) for fd in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + fd)}"
    _code, told = alice.run(f"result = tell({links!r})")
    assert {fd: link for fd, link in told.items() if int(fd) > 2 and "/told" not in link} == {}


def test_no_order_without_the_servers_socket(alice: Child) -> None:
    """A program that the server starts does not inherit it, and a fork has none."""
    statements = "import sandbox.zygote as z; print(z.get_orders())"
    printed = alice.run(
        f"import subprocess; result = subprocess.run([sys.executable, '-c', {statements!r} + "
        "'; import os; print(sorted(os.listdir(\"/proc/self/fd\")))'], capture_output=True, text=True, close_fds=False).stdout"
    )
    assert printed.splitlines()[0] == "None"
    assert alice.run("result = tell('repr(__import__(\"sandbox.zygote\").zygote.get_orders())')")[1] == "None"
    inode = alice.run("result = os.readlink(f'/proc/self/fd/{zygote.get_orders().fileno()}')")
    assert inode.startswith("socket:")
    assert inode not in printed


def test_siblings_do_not_share_chance(alice: Child) -> None:
    drawn = "[__import__('random').random(), __import__('uuid').uuid4().hex, __import__('secrets').token_hex(),"
    drawn += " os.path.basename(__import__('tempfile').mktemp()), float(__import__('numpy').random.random())]"
    draws = [alice.run(f"result = tell({drawn!r})")[1] for _ in range(3)]
    for values in zip(*draws, strict=True):
        assert len(set(values)) == 3, values


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.abort()", -6),
    ],
)
def test_how_it_ended_is_told(alice: Child, statements: str, code: int) -> None:
    assert alice.run(f"result = end(order({statements!r}))") == code


def test_a_fork_that_listens_before_its_number_is_told_is_waited_for() -> None:
    async def scene() -> tuple[int, bool]:
        ours, theirs = socket.socketpair()
        with theirs:
            fork = Fork(ours)
            theirs.sendall(b'{"listening": true}\n')
            asyncio.get_running_loop().call_later(0.1, theirs.sendall, b'{"pid": 7}\n')
            await fork.started(10)
        ours.close()
        return fork.pid, fork.listens

    assert asyncio.run(scene()) == (7, True)


def test_what_a_fork_left_ends_with_it(alice: Child) -> None:
    left = "import subprocess, sys; p = subprocess.Popen(['/bin/sleep', '100']); open('/tmp/left', 'w').write(str(p.pid)); raise SystemExit(3)"
    assert alice.run(f"result = end(order({left!r}))") == 3
    assert alice.run("time.sleep(0.2); result = os.path.exists('/proc/' + open('/tmp/left').read())") is False


def test_signals_reach_it(alice: Child) -> None:
    loop = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise SystemExit(5)"
    assert (
        alice.run(f"fork = order({loop!r}); time.sleep(0.3); os.killpg(fork.pid, signal.SIGINT); result = end(fork)")
        == 5
    )
    deaf = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(60)"
    alice.run(f"fork = order({deaf!r}); time.sleep(0.3); fork.send_signal(2); fork.terminate(); time.sleep(0.3)")
    assert alice.run("result = fork.poll()") is None
    assert alice.run("fork.kill(); result = end(fork)") == -9
    assert alice.run("fork.kill(); result = fork.poll()") == -9, "nothing is signalled any more"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"argv": [], "env": {}}', b'{"argv": [1], "env": {}, "cwd": "/"}', b'{"argv": [], "env": {"A=": ""}, "cwd": "/"}',
     b'{"argv": ["\\u0000"], "env": {}, "cwd": "/"}', b"9" * 5000, b"[" * 100_000],
)  # fmt: skip
def test_a_bad_order_is_refused_and_pid_1_lives(alice: Child, raw: bytes) -> None:
    if raw:
        answer = alice.run(
            "import socket\nours, theirs = socket.socketpair()\n"
            f"socket.send_fds(zygote.get_orders(), [{raw!r}], [theirs.fileno()])\n"
            "theirs.close()\nours.settimeout(20)\nresult = ours.makefile().readline()"
        )
        assert json.loads(answer)["code"] == "bad_order"
    else:
        alice.run("zygote.get_orders().send(b'no descriptor')")
    too_large = (
        "try:\n    order('pass', env={'A': 'x' * 200_000})\nexcept ForkRefused as error:\n    result = error.code"
    )
    assert alice.run(too_large) == "bad_order"
    assert alice.run("result = end(order('pass'))") == 0


def test_a_folder_that_is_not_there_ends_the_fork_alone(alice: Child) -> None:
    assert alice.run("fork = order('pass', cwd='/nonexistent'); result = end(fork), fork.listens") == [1, False]
    assert alice.run("result = end(order('pass'))") == 0


def test_many_forks_come_and_go(alice: Child) -> None:
    codes = alice.run(
        "forks = [order(f'raise SystemExit({n})') for n in range(20)]; result = [end(fork) for fork in forks]"
    )
    assert codes == list(range(20))
    zombies = "sum(1 for p in os.listdir('/proc') if p.isdigit() and ') Z' in open(f'/proc/{p}/stat').read())"
    assert alice.run(f"result = {zombies}") == 0


def test_at_the_limit_of_processes_the_zygote_refuses_and_lives(root_daemon: Daemon) -> None:
    # RLIMIT_NPROC counts a uid over the whole machine: one that no other test, at work meanwhile, gives to anybody.
    child = root_daemon.child("bob", 205_555, limits=Limits(512 << 20, 12, None, 64 << 20, 256))
    child.run(PRELUDE)
    code = child.run(
        "forks = []\ntry:\n    while len(forks) < 40: forks.append(order('import time; time.sleep(60)'))\n"
        "except ForkRefused as error:\n    result = [error.code, len(forks)]"
    )
    assert code[0] == "too_many_processes"
    assert 5 <= code[1] <= 11
    assert child.run("for fork in forks: fork.kill()\nresult = [end(fork) for fork in forks]") == [-9] * code[1]
    assert child.run("result = end(order('pass'))") == 0
    assert child.sandbox.alive()


def test_out_of_memory_ends_the_fork_alone_and_is_told(root_daemon: Daemon) -> None:
    if "cgroup=none" in root_daemon.log:
        pytest.skip("no cgroup counts memory here")
    child = root_daemon.child("carol", 200_003, limits=LIMITS)
    child.run(PRELUDE)
    eater = "a = []\nwhile True: a.append(bytearray(8 << 20))"
    assert child.run(f"fork = order({eater!r}); result = [end(fork), fork.out_of_memory]") == [-9, True]
    killed = "import os, time; os.kill(os.getpid(), 9)"
    assert child.run(f"fork = order({killed!r}); result = [end(fork), fork.out_of_memory]") == [-9, False]
    assert child.run("result = end(order('pass'))") == 0


def test_a_sandbox_without_zygote_says_so(daemon: Daemon) -> None:
    child = daemon.child("dave", 200_004)
    child.run(PRELUDE)
    refused = "try:\n    order('pass')\nexcept ForkRefused as error:\n    result = error.code"
    assert child.run(refused) == "system"


def test_the_end_of_the_server_ends_its_forks(root_daemon: Daemon) -> None:
    child = root_daemon.child("erin", 200_005)
    child.run(PRELUDE)
    child.run("order('import time; time.sleep(100)')")
    inside = [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and _is_forked(p.name)]
    assert len(inside) == 1
    child.sandbox.channel.close()
    child.sandbox.channel = None
    assert child.sandbox.wait(10)
    assert not _is_forked(inside[0])


def _is_forked(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "forked_probe\n"
    except OSError:
        return False
