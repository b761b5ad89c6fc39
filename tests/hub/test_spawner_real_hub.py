"""WarmSpawner with a real JupyterHub, a real proxy, a real forkd: one learner's server, from birth to end.

As in production started by root: forkd is root, Hub and proxy are an ordinary user, the learner is a third one.
The Hub's database, homes and sockets are those of this test; sign-in is by an API token, since identity is the portal's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from sandbox.process import find_start_time
from sandbox.service import enter_service
from tests.sandbox.forkd_daemon import ORDINARY_UID, ROOT, Daemon, make_installation, running_daemon

pytestmark = [pytest.mark.hub, pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/hub/cookie"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.allow_named_servers = True
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/hub/proxy.pid"
c.ConfigurableHTTPProxy.auth_token = "{token}"
c.JupyterHub.spawner_class = "hub.jupyter.spawner.WarmSpawner"
c.WarmSpawner.forkd_socket = "{folder}/forkd.sock"
c.WarmSpawner.uids_file = "{folder}/hub/uids.sqlite"
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 120}}
c.Hub.door = "{folder}/doors/hub.sock"
c.JupyterHub.services = [{{"name": "tester", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "tester", "services": ["tester"],
  "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"]}}]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningHub:
    """A JupyterHub in a subprocess, and a client that may do everything."""

    daemon: Daemon
    port: int
    token: str
    process: subprocess.Popen | None = None

    @property
    def folder(self) -> Path:
        return self.daemon.folder

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"token {self.token}"},
            timeout=60,
            follow_redirects=True,
        )

    def start(self) -> RunningHub:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
        env |= {"PUPITRE_RUN_DIR": str(self.folder), "PUPITRE_STATE_DIR": str(self.folder / "hub")}

        def become() -> None:
            visible = [Path(sys.base_prefix), Path(sys.prefix), ROOT]
            enter_service(ORDINARY_UID, ORDINARY_UID, visible=visible, writable=[self.folder])

        with (self.folder / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.jupyter.app", "-f", f"{self.folder}/config.py"],
                stdout=log, stderr=log, cwd=self.folder / "hub", env=env, start_new_session=True, preexec_fn=become,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        with self.client as client:
            while True:
                assert self.process.poll() is None and time.monotonic() < deadline, self.log
                try:
                    if client.get("/hub/api/users").status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                time.sleep(0.1)

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def stop(self, signal_number: int = 15) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(20)

    def spawn(self, name: str, server: str = "") -> dict:
        """Start a server, and wait until the Hub says that it is ready or failed."""
        with self.client as client:
            if client.get(f"/hub/api/users/{name}").status_code == 404:
                assert client.post(f"/hub/api/users/{name}").status_code == 201
            path = f"/hub/api/users/{name}/server" + (f"s/{server}" if server else "")
            answer = client.post(path)
            assert answer.status_code in (201, 202) or "already running" in answer.text, answer.text
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                model = client.get(f"/hub/api/users/{name}").json()
                state = model.get("servers", {}).get(server)
                if state is None or state["ready"]:
                    return state or {}
                time.sleep(0.05)
        raise AssertionError(self.log)

    def spawn_state(self, name: str) -> dict:
        with self.client as client:
            return client.get(f"/hub/api/users/{name}").json()["servers"].get("", {})

    def end(self, name: str) -> None:
        with self.client as client:
            assert client.delete(f"/hub/api/users/{name}/server").status_code in (202, 204)
            deadline = time.monotonic() + 30
            while client.get(f"/hub/api/users/{name}").json().get("servers") and time.monotonic() < deadline:
                time.sleep(0.05)

    def run_in_kernel(self, name: str, code: str) -> str:
        """What `code` prints in a new kernel of that person's server, through the proxy."""
        return asyncio.run(self._run_in_kernel(name, code))

    async def _run_in_kernel(self, name: str, code: str) -> str:
        with self.client as client:
            answer = client.post(f"/user/{name}/api/kernels", json={"name": "python3"})
            assert answer.status_code == 201, answer.text
            kernel = answer.json()["id"]
        url = f"ws://127.0.0.1:{self.port}/user/{name}/api/kernels/{kernel}/channels"
        request = HTTPRequest(url, headers={"Authorization": f"token {self.token}"})
        connection = await websocket_connect(request)
        session, message = uuid.uuid4().hex, uuid.uuid4().hex
        header = {
            "msg_id": message,
            "msg_type": "execute_request",
            "username": "",
            "session": session,
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        await connection.write_message(
            json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"})
        )
        printed, failed = [], ""
        while True:
            raw = await asyncio.wait_for(connection.read_message(), 60)
            assert raw is not None, "the websocket was closed"
            reply = json.loads(raw)
            if reply["parent_header"].get("msg_id") != message:
                continue
            if reply["msg_type"] == "stream":
                printed.append(reply["content"]["text"])
            if reply["msg_type"] == "error":
                failed = "\n".join(reply["content"]["traceback"])
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                break
        await close(connection)
        assert not failed, failed
        return "".join(printed)


async def close(connection: WebSocketClientConnection) -> None:
    connection.close()
    while await asyncio.wait_for(connection.read_message(), 10) is not None:
        pass


@contextlib.contextmanager
def running_hub(**options) -> Iterator[RunningHub]:
    place = Path(tempfile.mkdtemp(prefix="pupitre-inst-"))
    place.chmod(0o755)
    entries = {"server": "hub.jupyter.singleuser", "review": "hub.jupyter.singleuser"}
    try:
        with running_daemon(make_installation(place / "venv"), entries=entries, **options) as daemon:
            (daemon.folder / "hub").mkdir()
            for folder in ("hub", "doors"):
                os.chown(daemon.folder / folder, ORDINARY_UID, ORDINARY_UID)
            port, token = free_port(), secrets.token_hex(16)
            values = {"port": port, "hub_port": free_port(), "api_port": free_port(), "token": token}
            proxy = ROOT / "node_modules" / ".bin" / "configurable-http-proxy"
            (daemon.folder / "config.py").write_text(CONFIG.format(folder=daemon.folder, proxy=proxy, **values))
            running = RunningHub(daemon, port, token).start()
            try:
                yield running
            finally:
                running.stop()
    finally:
        shutil.rmtree(place)


@pytest.fixture(scope="module")
def hub() -> Iterator[RunningHub]:
    """Started as root: a uid per learner."""
    with running_hub(owner=ORDINARY_UID) as running:
        yield running


def server_log(hub: RunningHub, label: str) -> str:
    return (hub.folder / "log" / f"{label}.log").read_text()


def test_server_answers_through_the_proxy(hub):
    state = hub.spawn("alice")
    assert state["ready"], server_log(hub, "alice")
    with hub.client as client:
        answer = client.get("/user/alice/api/status")
        assert answer.status_code == 200, answer.text
        assert client.get("/user/alice/lab").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{hub.port}/user/alice/api/contents").status_code == 403


PROBE = """
import json, os, sys, pathlib
found = {}
found["environ"] = {k: v for k, v in os.environ.items()}
texts = {}
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    for name in ("environ", "cmdline", "mem", "maps", "fd"):
        path = f"/proc/{pid}/{name}"
        try:
            texts[path] = " ".join(os.listdir(path)) if name == "fd" else open(path, "rb").read(1 << 20).decode("latin1")
        except OSError as error:
            texts[path] = f"refused {error.errno}"
found["proc"] = texts
files = {}
for root in ("/tmp", "/home", "/dev/shm", "/run", "/etc"):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".venv", "node_modules")]  # packages, read-only: too many
        for name in names:
            try:
                files[os.path.join(folder, name)] = open(os.path.join(folder, name), "rb").read(1 << 20).decode("latin1")
            except OSError:
                pass
found["files"] = files
found["server"] = [p for p in texts if p.endswith("/mem") and open(p.replace("/mem", "/comm")).read().startswith("jupyter-server")]
found["path"], found["cwd"], found["uid"] = sys.path, os.getcwd(), os.getuid()
import pupitre
found["pupitre"] = pupitre.__file__
import mon_module
found["own"] = mon_module.__file__
open("/home/alice/found.json", "w").write(json.dumps(found))
"""


def probe(hub: RunningHub) -> dict:
    """What a kernel of alice finds; too much to print, so it goes through a file."""
    file = hub.folder / "homes" / "alice" / "found.json"
    file.unlink(missing_ok=True)
    assert hub.run_in_kernel("alice", PROBE) == ""
    return json.loads(file.read_text())


def find_tokens(hub: RunningHub, name: str) -> list[str]:
    """What a kernel must not find: the server's tokens, read in the server's memory as root."""
    from jupyterhub.utils import compare_token

    with contextlib.closing(sqlite3.connect(hub.folder / "hub" / "hub.sqlite")) as database:
        known = database.execute("SELECT prefix, hashed FROM api_tokens").fetchall()
    shape = re.compile(b"(?:" + b"|".join(prefix.encode() for prefix, _ in known) + b")[0-9a-f]{28}")
    entry = json.loads((hub.folder / "servers" / f"{name}.pid").read_text())
    words = set()
    for pid in Path(f"/proc/{entry['pid']}/task/{entry['pid']}/children").read_text().split():
        with Path(f"/proc/{pid}/mem").open("rb") as mem:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if "rw" in line.split()[1] and end - start < 1 << 28:
                    with contextlib.suppress(OSError):
                        mem.seek(start)
                        words |= set(shape.findall(mem.read(end - start)))
    found = sorted(word.decode() for word in words)
    return [word for word in found if any(compare_token(h, word) for p, h in known if word.startswith(p))]


def test_each_process_is_who_it_should_be(hub):
    """forkd alone is root; the Hub and its proxy are an ordinary user; everything of the learner is the learner's uid."""
    hub.spawn("alice")
    uid = (hub.folder / "homes" / "alice").stat().st_uid
    entry = json.loads((hub.folder / "servers" / "alice.pid").read_text())
    children = Path(f"/proc/{entry['pid']}/task/{entry['pid']}/children").read_text().split()
    proxy = (hub.folder / "hub" / "proxy.pid").read_text()
    assert get_uids(hub.daemon.process.pid) == {0}
    assert get_uids(hub.process.pid) == get_uids(int(proxy)) == {ORDINARY_UID}
    assert children and all(get_uids(int(pid)) == {uid} for pid in [entry["pid"], *children])


def get_uids(pid: int) -> set[int]:
    status = Path(f"/proc/{pid}/status").read_text()
    return {int(uid) for uid in re.search(r"^Uid:\s+(.*)$", status, re.M)[1].split()}


def test_kernel_reaches_no_token(hub):
    hub.spawn("alice")
    home = hub.folder / "homes" / "alice"
    for name in ("pupitre.py", "mon_module.py", "numpy.py"):
        (home / name).write_text("" if name == "mon_module.py" else "raise SystemExit('hostile')")
    found = probe(hub)
    with hub.client as client:
        tokens = client.get("/hub/api/users/alice/tokens").json()["api_tokens"]
    assert [t for t in tokens if "Server at" in t["note"]], "the Hub gave this server a token"
    assert found["uid"] >= 200_000
    assert not [name for name in found["environ"] if "TOKEN" in name]
    assert found["server"], "the server is among the processes that the kernel sees"
    for path in found["server"]:
        for name in ("mem", "environ", "maps", "fd"):
            assert found["proc"][path.replace("mem", name)].startswith("refused"), path
    # The server's memory, read by root, holds the token; nothing that the kernel read holds any word of that shape.
    secret = find_tokens(hub, "alice")
    assert secret, "the token is in the server's memory"
    everything = json.dumps(found)
    assert not [word for word in secret if word in everything]
    assert secret[0] not in server_log(hub, "alice") and secret[0] not in hub.daemon.log


def test_working_directory_is_last(hub):
    hub.spawn("alice")
    (hub.folder / "homes" / "alice" / "mon_module.py").write_text("")
    (hub.folder / "homes" / "alice" / "pupitre.py").write_text("raise SystemExit('hostile')")
    found = probe(hub)
    assert found["path"][-1] == "" and found["path"].count("") == 1
    assert "site-packages" in found["pupitre"]
    assert found["own"] == "/home/alice/mon_module.py"


def test_hostile_configuration_is_not_executed(hub):
    """Every file that some Jupyter program executes as configuration leaves a mark when the server process runs it."""
    hub.spawn("mallory")
    hub.end("mallory")
    home = hub.folder / "homes" / "mallory"
    owner = home.stat()
    code = "import os\nopen(f'/home/mallory/mark-{os.getpid()}-' + os.path.basename(__file__), 'w').close()\n"
    names = ["jupyter_server_config.py", "jupyter_config.py", "jupyter_lab_config.py", "nbgrader_config.py", "voila.py"]
    names += ["jupyter_notebook_config.py", "jupyterhub_singleuser_config.py", "sitecustomize.py", "usercustomize.py"]
    folders = [home, home / ".jupyter", home / ".local/etc/jupyter", home / ".config/jupyter"]
    folders += [home / ".local/lib/python3.11/site-packages"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(code)
    for path in [home, *home.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    hub.spawn("mallory")
    with hub.client as client:
        for path in (
            "assignment_list/assignments?course_id=x",
            "nbgrader_version",
            "formgrader",
            "voila",
            "lab",
            "tree",
        ):
            client.get(f"/user/mallory/{path}")
        client.post("/user/mallory/assignments/validate", data={"path": "nothing.ipynb"})
    assert "nbgrader" in server_log(hub, "mallory")
    assert not list(home.glob("mark-*"))


def test_terminal_works_without_token(hub):
    """Terminals: a shell of the learner, in their home, with the course's tools on its path and no token."""
    hub.spawn("alice")
    shown = asyncio.run(run_in_terminal(hub, "alice", "env; pwd; python -c 'import ssl, sqlite3, lzma; print(6*7)'"))
    assert "42" in shown and "/home/alice" in shown
    assert not re.search(r"^[A-Z_]*TOKEN[A-Z_]*=", shown, re.M)
    assert "JUPYTER_CONFIG_DIR=" not in shown
    shown = asyncio.run(run_in_terminal(hub, "alice", "nbgrader --version; echo rc=$?"))
    assert "rc=0" in shown


async def run_in_terminal(hub: RunningHub, name: str, command: str) -> str:
    with hub.client as client:
        answer = client.post(f"/user/{name}/api/terminals")
        assert answer.status_code == 200, answer.text
        terminal = answer.json()["name"]
    url = f"ws://127.0.0.1:{hub.port}/user/{name}/terminals/websocket/{terminal}"
    connection = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {hub.token}"}))
    await connection.write_message(json.dumps(["stdin", f"{command}; echo the-''end\n"]))
    shown = ""
    while "the-end" not in shown:
        message = json.loads(await asyncio.wait_for(connection.read_message(), 60))
        if message[0] == "stdout":
            shown += message[1].replace("\r", "")
    await close(connection)
    return shown


def test_named_review_server_has_its_own_home_and_uid(hub):
    assert hub.spawn("claire", "relecture-maths")["ready"], server_log(hub, "claire-relecture-maths")
    assert "profile=review" in hub.daemon.log
    homes = hub.folder / "homes"
    assert (homes / "claire-relecture-maths").stat().st_uid != (homes / "alice").stat().st_uid
    assert (homes / "claire-relecture-maths").stat().st_mode & 0o777 == 0o700


def test_server_survives_the_hub_and_forkd(hub):
    """Killed with -9, both come back; the learner's server is the same process, still ready, and can be stopped."""
    hub.spawn("alice")
    before = json.loads((hub.folder / "servers" / "alice.pid").read_text())
    hub.stop(9)
    hub.daemon.crash()
    assert find_start_time(before["pid"]) == before["start_time"]
    hub.daemon.start()
    hub.start()
    state = hub.spawn_state("alice")
    assert state["ready"]
    with hub.client as client:
        assert client.get("/user/alice/api/status").status_code == 200
    began = time.monotonic()
    hub.end("alice")
    assert time.monotonic() - began < 10
    assert find_start_time(before["pid"]) is None
    assert not (hub.folder / "servers" / "alice.sock").exists()


def test_refused_server_says_why(hub):
    """The home of another uid: nothing starts, and the page's sentence is French."""
    hub.spawn("bob")
    hub.end("bob")
    os.chown(hub.folder / "homes" / "bob", 200_999, 200_999)
    with hub.client as client:
        answer = client.post("/hub/api/users/bob/server")
    assert answer.status_code == 500
    assert answer.json()["message"].startswith("Votre dossier personnel n’est pas utilisable.")
    assert "home_refused" in hub.log and "home_refused" in hub.daemon.log
    assert not (hub.folder / "servers" / "bob.sock").exists()


def test_server_that_dies_shows_the_end_of_its_log(hub):
    """The server cannot start: the channel closes at once, and the sentence comes with the last lines of the log."""
    uid = hub.spawn("dora") and (hub.folder / "homes" / "dora").stat().st_uid
    hub.end("dora")
    data = hub.folder / "homes" / "dora" / ".local"
    shutil.rmtree(data)
    data.write_text("a file where the server needs a folder")
    os.chown(data, uid, uid)
    began = time.monotonic()
    with hub.client as client:
        answer = client.post("/hub/api/users/dora/server")
    assert time.monotonic() - began < 50, "found out by the closed channel, not by the Hub's timeout of 60 s"
    assert answer.status_code == 500
    assert "Votre serveur n’a pas pu démarrer" in answer.json()["message"]
    assert "FileExistsError" in answer.json()["message"] or "NotADirectoryError" in answer.json()["message"]


def test_started_by_an_ordinary_user():
    """User namespaces: nothing is root, the learner's server starts, runs a kernel, sees one home, and is stopped."""
    with running_hub(uid=ORDINARY_UID) as hub:
        assert "isolation=user" in hub.daemon.log
        assert hub.spawn("alice")["ready"], server_log(hub, "alice")
        printed = hub.run_in_kernel("alice", "import os; print(os.getuid(), os.listdir('/home'), os.getcwd())")
        assert printed.split() == [str(ORDINARY_UID), "['alice']", "/home/alice"]
        entry = json.loads((hub.folder / "servers" / "alice.pid").read_text())
        assert get_uids(hub.daemon.process.pid) == get_uids(entry["pid"]) == {ORDINARY_UID}
        hub.end("alice")
        assert find_start_time(entry["pid"]) is None
