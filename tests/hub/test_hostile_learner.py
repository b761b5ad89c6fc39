"""A hostile learner in a real installation, from a notebook and from a terminal: what they try is refused or contained, and
another learner's server keeps answering, measured while it lasts.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from hub.environment import load_environment
from tests.installation import Installation
from tests.person import Person

pytestmark = [pytest.mark.hub, pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]
PROBE = (Path(__file__).parent / "hostile_probe.py").read_text(encoding="utf-8")
ANSWERS_WITHIN_S = 10
"""Generous: the figure is printed; what must not happen is a server that does not answer."""


@dataclass
class Answering:
    """How long another learner's server took to answer, each time it was asked."""

    person: Person
    took_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ask(self, stop: threading.Event) -> None:
        while not stop.wait(0.05):
            began = time.monotonic()
            try:
                answer = self.person.jupyter.get(f"/user/{self.person.hub_name}/api/contents")
                if answer.status_code != 200:
                    self.failed.append(str(answer.status_code))
            except httpx.HTTPError as error:
                self.failed.append(repr(error))
            self.took_s.append(time.monotonic() - began)


@contextmanager
def keeps_answering(person: Person, what: str, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Ask `person`'s server every 50 ms while the block runs; it answers every time."""
    answering, stop = Answering(person), threading.Event()
    thread = threading.Thread(target=answering.ask, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    took = sorted(answering.took_s)
    with capsys.disabled():
        print(
            f"\n{what}: {len(took)} requests to another's server, median {statistics.median(took) * 1000:.0f} ms,"
            f" slowest {took[-1] * 1000:.0f} ms, failed {len(answering.failed)}"
        )
    assert not answering.failed and took[-1] < ANSWERS_WITHIN_S


def run_in_terminal(person: Person, command: str) -> str:
    return asyncio.run(_run_in_terminal(person, command))


async def _run_in_terminal(person: Person, command: str) -> str:
    answer = person.jupyter.post(f"/user/{person.hub_name}/api/terminals")
    assert answer.status_code == 200, answer.text
    name = answer.json()["name"]
    address = f"{person.installation.jupyter_url}/user/{person.hub_name}/terminals/websocket/{name}"
    request = HTTPRequest(address.replace("http", "ws", 1), headers={"Authorization": f"token {person.token}"})
    connection = await websocket_connect(request)
    await connection.write_message(json.dumps(["stdin", f"{command}; echo the-''end\n"]))
    shown = ""
    while "the-end" not in shown:
        raw = await asyncio.wait_for(connection.read_message(), 90)
        assert raw is not None, shown
        message = json.loads(raw)
        if message[0] == "stdout":
            shown += message[1].replace("\r", "")
    connection.close()
    while await asyncio.wait_for(connection.read_message(), 10) is not None:
        pass
    person.jupyter.delete(f"/user/{person.hub_name}/api/terminals/{name}")
    return shown


def home_of(person: Person) -> Path:
    return person.installation.state_dir / "homes" / person.hub_name


def read_entry(person: Person) -> dict[str, Any]:
    """What forkd knows of a person's server."""
    run_dir = load_environment(person.installation.variables).run_dir
    entry: dict[str, Any] = json.loads((run_dir / "servers" / f"{person.hub_name}.pid").read_text())
    return entry


def find_setuid_programs() -> list[str]:
    return [
        str(p) for p in Path("/usr/bin").iterdir() if p.is_file() and not p.is_symlink() and p.stat().st_mode & 0o4000
    ]


@pytest.fixture
def alice(people: Callable[..., Person]) -> Person:
    return people("alice", started=True)


@pytest.fixture
def targets(open_installation: Installation, alice: Person) -> Iterator[dict[str, Any]]:
    """What there is to reach on this machine, alive while the test runs."""
    environment = load_environment(open_installation.variables)
    courses = Path(open_installation.variables["PUPITRE_COURSES_DIR"])
    server = read_entry(alice)["pid"]
    with socket.socket(socket.AF_UNIX) as abstract, socket.create_server(("0.0.0.0", 0)) as listening:
        abstract.bind("\0pupitre-hostile")
        abstract.listen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            own_address = probe.getsockname()[0]
        yield {
            "paths": {
                "another's home": str(home_of(alice)),
                "another's home at its inner name": f"/home/{alice.hub_name}",
                "state folder": str(open_installation.state_dir),
                "hidden tests": str(courses / "essai" / "m1" / "exercices.ipynb"),
                "run folder": str(environment.run_dir),
                "forkd": str(environment.run_dir / "forkd.sock"),
                "another's socket": str(environment.run_dir / "servers" / f"{alice.hub_name}.sock"),
                "shadow": "/etc/shadow",
                "sys": "/sys/kernel",
                "kernel memory": "/dev/mem",
            },
            "ports": {
                "proxy": environment.port,
                "portal": environment.portal_port,
                "Hub": environment.hub_port,
                "proxy's API": environment.proxy_api_port,
                "any program": listening.getsockname()[1],
            },
            "addresses": [own_address],
            "pids": {"another's server": server, "this test": os.getpid(), "forkd": find_forkd(open_installation)},
            "abstract": "pupitre-hostile",
            "setuid": find_setuid_programs(),
        }


def find_forkd(installation: Installation) -> int:
    return int(json.loads((load_environment(installation.variables).run_dir / "forkd.pid").read_text().split()[0]))


def run_probe(person: Person, place: str, targets: dict[str, Any]) -> dict[str, Any]:
    script = f"TARGETS = {targets!r}\n{PROBE}"
    if place == "notebook":
        found: dict[str, Any] = json.loads(person.run_code(script))
        return found
    person.run_code(f"open('probe.py', 'w').write({script!r})")
    shown = run_in_terminal(person, "cd; python probe.py > found.json; echo code=$?; rm probe.py")
    assert "code=0" in shown, shown
    found = json.loads((home_of(person) / "found.json").read_text())
    return found


@pytest.mark.parametrize("place", ["notebook", "terminal"])
def test_what_is_tried_is_refused(place: str, mallory: Person, alice: Person, targets: dict[str, Any]) -> None:
    found = run_probe(mallory, place, targets)
    assert found.pop("servers seen") == 1, "its own server, whose secrets are tried"
    assert found.pop("homes") == [mallory.hub_name]
    assert found.pop("tokens in the environment") == []
    own = home_of(mallory).stat().st_uid
    assert set(found.pop("uids seen")) <= {0, own}, "root owns what is not dumpable"
    assert found.pop("signal pid 1") == "DONE None", "accepted by the kernel, and without effect"
    reached = {name: answer for name, answer in found.items() if not answer.startswith("refused")}
    assert not reached
    ports = {answer for name, answer in found.items() if name.startswith("port ")}
    assert ports <= {"refused ECONNREFUSED", "refused ENETUNREACH", "refused EADDRNOTAVAIL"}
    assert len(found) > 60 and len([name for name in found if name.startswith("setuid")]) >= 3
    assert mallory.run_code("print(6 * 7)").strip() == "42", "and the server goes on"


def test_another_learners_port_does_not_exist(mallory: Person, alice: Person) -> None:
    """A program that a learner serves on a port is their own."""
    serve = "import socket, time; s = socket.create_server(('0.0.0.0', 8123)); time.sleep(4)"
    thread = threading.Thread(target=alice.run_code, args=(serve,))
    thread.start()
    time.sleep(2)
    try:
        tried = "import socket\ntry: socket.create_connection(('127.0.0.1', 8123), 2); print('reached')\nexcept OSError as e: print(e.errno)"
        assert mallory.run_code(tried).strip() == "111"
    finally:
        thread.join()


def test_tools_in_a_terminal_under_a_private_root(mallory: Person) -> None:
    """Python's own libraries, nbgrader, and a kernel started cold, wherever Python is installed."""
    shown = run_in_terminal(
        mallory, "python -c 'import lzma, sqlite3, ssl; print(6*7)'; nbgrader --version; echo rc=$?"
    )
    assert "42" in shown and "rc=0" in shown, shown
    code = (
        "import jupyter_client as j; m, c = j.manager.start_new_kernel(kernel_name='python3', startup_timeout=60); "
        "print(c.execute_interactive('print(40+2)', timeout=60)['content']['status']); m.shutdown_kernel(now=True)"
    )
    shown = run_in_terminal(mallory, f"python -c {shlex.quote(code)} 2>/dev/null; ls /root 2>&1 | head -3")
    assert "42\nok\n" in shown, shown


BOMBS = {
    "fork bomb": (
        "import os, time\nn = 0\n"
        "end = time.monotonic() + 6\n"
        "while time.monotonic() < end:\n"
        "  try:\n    if os.fork() == 0:\n      while True: pass\n    n += 1\n"
        "  except OSError: time.sleep(0.01)\n"
        "print('forked', n)\nimport signal\n"
        "children = open(f'/proc/self/task/{os.getpid()}/children').read().split()\n"
        "[os.kill(int(p), 9) for p in children]\n"
    ),
    "memory bomb": (
        "import subprocess, sys\nbomb = 'b = []\\nwhile True: b.append(bytearray(b\"x\") * (16 << 20))'\n"
        "print(subprocess.run([sys.executable, '-c', bomb]).returncode)\n"
    ),
    "full memory folders": (
        "for folder in ('/tmp', '/dev/shm'):\n"
        "  try:\n    with open(folder + '/fill', 'wb') as f:\n      while True: f.write(bytes(1 << 20))\n"
        "  except OSError as e: print(e.errno)\n  import os; os.remove(folder + '/fill')\n"
    ),
    "10,000 open files": (
        "import os, subprocess, sys\nfiles = []\n"
        "try:\n  while len(files) < 10_000: files.append(os.open('/dev/null', 0))\n"
        "except OSError as e: print(e.errno, len(files))\n[os.close(f) for f in files]\n"
        "one = 'import os,time; [os.open(\"/dev/null\", 0) for _ in range(1000)]; time.sleep(3)'\n"
        "crowd = [subprocess.Popen([sys.executable, '-c', one]) for _ in range(10)]\nprint([p.wait() for p in crowd])\n"
    ),
    "file beyond its limit": (
        "import os, signal\nsignal.signal(25, signal.SIG_IGN)\nf = open('big', 'wb')\n"
        "try: f.truncate(1 << 40)\nexcept OSError as e: print(e.errno)\nf.close(); os.remove('big')\n"
    ),
}
SAID = {
    "fork bomb": r"forked \d+",
    "memory bomb": r"-9",
    "full memory folders": r"28\n28",
    "10,000 open files": r"24 \d+\n\[0, 0, 0, 0, 0, 0, 0, 0, 0, 0\]",
    "file beyond its limit": r"27",
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_are_contained(
    name: str,
    mallory: Person,
    alice: Person,
    capsys: pytest.CaptureFixture[str],
    next_is_right: Callable[[Person], None],
) -> None:
    with keeps_answering(alice, name, capsys):
        said = mallory.run_code(BOMBS[name])
    assert re.search(SAID[name], said), said
    with keeps_answering(alice, f"after the {name}", capsys):
        assert mallory.run_code("print(6 * 7)").strip() == "42"
    next_is_right(alice)


async def begin(person: Person, code: str) -> str:
    """Let a new kernel run `code`, and do not wait; the kernel's id."""
    kernel = person.jupyter.post(f"/user/{person.hub_name}/api/kernels", json={"name": "python3"}).json()["id"]
    address = f"{person.installation.jupyter_url}/user/{person.hub_name}/api/kernels/{kernel}/channels"
    request = HTTPRequest(address.replace("http", "ws", 1), headers={"Authorization": f"token {person.token}"})
    connection = await websocket_connect(request)
    header = {"msg_id": "deaf", "msg_type": "execute_request", "username": "", "session": "deaf", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await connection.write_message(json.dumps(message))
    while json.loads(await asyncio.wait_for(connection.read_message(), 30) or "{}")["msg_type"] != "execute_input":
        pass
    connection.close()
    while await asyncio.wait_for(connection.read_message(), 10) is not None:
        pass
    return str(kernel)


def test_deaf_kernel_is_ended(mallory: Person, alice: Person, capsys: pytest.CaptureFixture[str]) -> None:
    """A kernel that ignores SIGINT and SIGTERM and never comes back: interrupting does nothing, ending it ends it."""
    home = home_of(mallory)
    (home / "deaf").unlink(missing_ok=True)
    deaf = (
        "import os, signal\n[signal.signal(s, signal.SIG_IGN) for s in (2, 15)]\n"
        "open('/home/' + os.environ['USER'] + '/deaf', 'w').write(open('/proc/self/stat').read().split()[0])\n"
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass\n"
    )

    with keeps_answering(alice, "deaf kernel", capsys):
        kernel = asyncio.run(begin(mallory, deaf))
        deadline = time.monotonic() + 30
        while not (home / "deaf").exists() or not (home / "deaf").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        pid = (home / "deaf").read_text()
        path = f"/user/{mallory.hub_name}/api/kernels/{kernel}"
        assert mallory.jupyter.post(f"{path}/interrupt").status_code == 204
        assert mallory.jupyter.get(path).json()["execution_state"] == "busy"
        began = time.monotonic()
        assert mallory.jupyter.delete(path).status_code == 204
        with capsys.disabled():
            print(f"\ndeaf kernel ended in {time.monotonic() - began:.1f} s")
    assert mallory.run_code(f"import os; print(os.path.exists('/proc/{pid}'))").strip() == "False"


@pytest.mark.parametrize(
    "kind", ["symbolic link to a folder", "symbolic link to a file", "hard link", "link to /etc/passwd"]
)
def test_links_in_the_home_before_a_delivery(
    kind: str, mallory: Person, next_is_right: Callable[[Person], None]
) -> None:
    """Whatever stands where module m3 would be delivered, what it points to is left as it was and nobody else is touched."""
    setup = {
        "symbolic link to a folder": "os.symlink(elsewhere, module)",
        "symbolic link to a file": "module.mkdir(); os.symlink(precious, module / 'exercices.ipynb')",
        "hard link": "module.mkdir(); os.link(precious, module / 'exercices.ipynb')",
        "link to /etc/passwd": "module.mkdir(); os.symlink('/etc/passwd', module / 'exercices.ipynb')",
    }[kind]
    mallory.run_code(
        "import os, pathlib, shutil\nhome = pathlib.Path.home()\nmodule, elsewhere = home / 'essai/m3', home / 'elsewhere'\n"
        "module.unlink() if module.is_symlink() else shutil.rmtree(module, ignore_errors=True)\n"
        "shutil.rmtree(elsewhere, ignore_errors=True); elsewhere.mkdir(); precious = home / 'precious'\n"
        "precious.write_text('precious')\n" + setup
    )
    answer = mallory.open_module("m3")
    home = home_of(mallory)
    assert (home / "precious").read_text() == "precious", answer.text
    assert not list((home / "elsewhere").iterdir()), answer.text
    assert answer.status_code in (200, 403, 409), answer.text
    mallory.run_code(
        "import pathlib, shutil; m = pathlib.Path.home() / 'essai/m3'\nm.unlink() if m.is_symlink() else shutil.rmtree(m)"
    )
    next_is_right(mallory)


RANDOMS = (
    "import random, uuid, secrets, tempfile, ssl, os, numpy as np\n"
    "print(random.random(), np.random.rand(), np.random.default_rng().random(), uuid.uuid4(), uuid.uuid1(), "
    "secrets.token_hex(8), ssl.RAND_bytes(8).hex(), tempfile.mktemp(), random.SystemRandom().random(), hash('x'))"
)


def test_siblings_draw_other_numbers(mallory: Person, alice: Person) -> None:
    """Kernels forked from one warm process, of one person and of two: no sequence in common."""
    drawn = [person.run_code(RANDOMS).split() for person in (alice, alice, mallory, mallory)]
    named = list(zip(*drawn, strict=True))
    for place, values in enumerate(named[:-1]):
        assert len(set(values)) == 4, (place, values)
