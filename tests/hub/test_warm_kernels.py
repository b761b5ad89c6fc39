"""Kernels of a real server in a real sandbox: forked by pid 1, interrupted, restarted, killed by want of memory, counted, cold.

A real Hub, proxy and forkd; the kernels are spoken to through the proxy's websocket, as a page of Jupyter does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conversation import Answer, Conversation, Server, execution
from tests.hub.test_spawner_real_hub import RunningHub, running_hub
from tests.lesson import LESSON, check_reading, read_again_and_again, read_lesson, write_lesson
from tests.sandbox.forkd_daemon import ORDINARY_UID

pytestmark = [pytest.mark.hub, pytest.mark.root]

SHARE = "lib/*/site-packages/hub/jupyter/share"
SPEC = {"display_name": "Essai", "language": "python"}
COLD = SPEC | {"argv": ["/usr/bin/env", "python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
BY_MESSAGE = SPEC | {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "interrupt_mode": "message",
}
RENDERS = 50


@pytest.fixture(scope="module")
def hub() -> Iterator[RunningHub]:
    with running_hub(owner=ORDINARY_UID, zygote="hub.jupyter.kernel") as running:
        installation = running.daemon.python.parents[1]
        for name, spec in {"froid": COLD, "message": BY_MESSAGE}.items():
            folder = next(installation.glob(SHARE)) / "jupyter" / "kernels" / name
            folder.mkdir(parents=True)
            (folder / "kernel.json").write_text(json.dumps(spec))
        deadline = time.monotonic() + 60
        while "rehearsed hub.jupyter.kernel" not in running.daemon.log:
            assert time.monotonic() < deadline, running.daemon.log
            time.sleep(0.1)
        assert running.spawn("alice")["ready"], read_server_log(running)
        yield running


@pytest.fixture
def server(hub: RunningHub) -> Server:
    return Server(f"http://127.0.0.1:{hub.port}/user/alice/", hub.token)


def read_server_log(hub: RunningHub) -> str:
    return (hub.folder / "log" / "alice.log").read_text()


Act = Callable[[Conversation, httpx.AsyncClient], Awaitable[Any]]


def in_kernel(server: Server, act: Act, name: str = "python3") -> Any:
    """What `act` gives with a new kernel, which is ended after."""

    async def run() -> Any:
        async with server.client() as client:
            kernel = await server.start_kernel(client, name)
            conversation = await server.connect(kernel)
            try:
                return await act(conversation, client)
            finally:
                await conversation.close()
                assert (await client.delete(f"api/kernels/{kernel}")).status_code == 204

    return asyncio.run(run())


def run(server: Server, code: str, name: str = "python3") -> Answer:
    async def act(conversation: Conversation, _client: httpx.AsyncClient) -> Answer:
        return await conversation.run(code)

    answer = in_kernel(server, act, name)
    assert isinstance(answer, Answer)
    return answer


PROBE = """
import json, os, sys, signal
import numpy, pupitre
print(json.dumps({
    "parent": os.getppid(), "comm": open("/proc/self/comm").read(), "session": os.getsid(0) == os.getpid(), "cwd": os.getcwd(),
    "env": dict(os.environ), "path": [sys.path[0], sys.path[-1]], "numpy": numpy.__file__, "pupitre": pupitre.__file__,
    "oom": open("/proc/self/oom_score_adj").read(), "main": __name__, "argv": sys.argv,
    "fds": [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")],
}))
"""


def test_a_kernel_is_forked_by_pid_1_and_holds_nothing_of_the_server(server: Server) -> None:
    home = "import pathlib; [pathlib.Path(n + '.py').write_text('raise SystemExit') for n in ('numpy', 'pupitre', 'sitecustomize')]"
    assert run(server, home).error == ""
    answer = run(server, PROBE)
    assert answer.error == ""
    told = json.loads(answer.text)
    assert told["parent"] == 1
    assert (told["comm"], told["session"], told["cwd"], told["main"]) == ("kernel\n", True, "/home/alice", "__main__")
    assert told["oom"] == "900\n"
    assert told["path"][1] == "" and told["path"][0] != ""
    assert not told["numpy"].startswith("/home") and not told["pupitre"].startswith("/home")
    assert not [
        name
        for name in told["env"]
        if "TOKEN" in name.upper() or name in ("JUPYTER_CONFIG_DIR", "PUPITRE_PORTAL_SOCKET")
    ]
    assert not [link for link in told["fds"] if "forkd" in link or "hub.sock" in link]
    assert run(server, "import os; [os.unlink(n + '.py') for n in ('numpy', 'pupitre', 'sitecustomize')]").error == ""


def test_the_first_plot_and_widgets(server: Server) -> None:
    plot = "import numpy as np, matplotlib.pyplot as plt\nplt.plot(np.arange(3))\nplt.show()"
    assert run(server, plot).pictures
    assert run(server, f"%matplotlib inline\n{plot}").pictures
    assert run(server, "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])").pictures, (
        "without show"
    )
    answer = run(server, "import ipywidgets\nipywidgets.IntSlider(value=7)")
    assert [content["target_name"] for content in answer.of_type("comm_open")] == ["jupyter.widget"] * 3
    targets = "from ipykernel.comm import CommManager\nfrom comm import get_comm_manager\nprint(sorted(get_comm_manager().targets))"
    assert "jupyter.widget" in run(server, targets).text


def test_two_kernels_do_not_share_chance(server: Server) -> None:
    code = "import random, numpy, uuid, tempfile\nprint(random.random(), numpy.random.rand(), uuid.uuid4(), tempfile.mktemp())"
    first, second = (run(server, code).text.split() for _ in range(2))
    assert not set(first) & set(second)


@pytest.mark.parametrize("name", ["python3", "message", "froid"])
def test_interrupt(server: Server, name: str) -> None:
    async def act(conversation: Conversation, client: httpx.AsyncClient) -> tuple[Answer, Answer]:
        running = asyncio.ensure_future(conversation.run("import time\nprint('là', flush=True)\ntime.sleep(60)"))
        await asyncio.sleep(1)
        assert (await client.post(f"api/kernels/{conversation.kernel}/interrupt")).status_code == 204
        return await running, await conversation.run("print(2)")

    interrupted, after = in_kernel(server, act, name)
    assert "KeyboardInterrupt" in interrupted.error
    assert interrupted.text == "là\n"
    assert after.text == "2\n"


@pytest.mark.parametrize("name", ["python3", "froid"])
def test_restart(server: Server, name: str) -> None:
    async def act(conversation: Conversation, client: httpx.AsyncClient) -> list[str]:
        before = await conversation.run("import os; x = 1; print(os.getpid())")
        assert (await client.post(f"api/kernels/{conversation.kernel}/restart")).status_code == 200
        await conversation.find_again()
        after = await conversation.run("import os; print(os.getpid()); x")
        return [before.text, after.text, after.error]

    before, after, error = in_kernel(server, act, name)
    assert before != after
    assert error.startswith("NameError")


def test_a_kernel_that_ignores_every_polite_signal_is_ended(server: Server) -> None:
    deaf = "import signal, time\nfor n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)\ntime.sleep(100)"

    async def act(conversation: Conversation, client: httpx.AsyncClient) -> float:
        await conversation.send("execute_request", execution(deaf))
        await asyncio.sleep(1)
        await client.post(f"api/kernels/{conversation.kernel}/interrupt")
        return time.monotonic()

    began = in_kernel(server, act)
    assert time.monotonic() - began < 15


async def hear_sentence(conversation: Conversation, code: str) -> str:
    """The sentence that the running cell gets when its kernel dies, once the kernel is said to restart."""
    sent, sentence = await conversation.send("execute_request", execution(code)), ""
    while True:
        message = await conversation.hear(120)
        if message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == sent:
            sentence += message["content"]["text"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "restarting":
            return sentence


async def wait_until_back(conversation: Conversation) -> None:
    """Ask until the new kernel answers: what is sent while the old one's sockets close is lost, as everywhere in Jupyter."""
    for _ in range(10):
        with contextlib.suppress(TimeoutError):
            await conversation.ask("kernel_info_request", {}, 3)
            return
    raise AssertionError("the kernel did not come back")


@pytest.mark.parametrize("name", ["python3", "froid"])
def test_a_kernel_that_dies_starts_again_and_the_cell_says_so(hub: RunningHub, server: Server, name: str) -> None:
    async def act(conversation: Conversation, _client: httpx.AsyncClient) -> tuple[str, str]:
        sentence = await hear_sentence(conversation, "import os\nprint('avant', flush=True)\nos.kill(os.getpid(), 9)")
        await wait_until_back(conversation)
        return sentence, (await conversation.run("print(3)")).text

    sentence, after = in_kernel(server, act, name)
    assert sentence.startswith("Le noyau s’est arrêté pendant l’exécution de cette cellule") or "avant" in sentence
    assert "Vos variables sont perdues" in sentence
    assert after == "3\n"
    assert "died: killed by SIGKILL" in read_server_log(hub)


def test_want_of_memory_ends_the_kernel_alone_and_is_said(hub: RunningHub, server: Server) -> None:
    if "cgroup=none" in hub.daemon.log:
        pytest.skip("no cgroup counts memory here")
    eater = "a = []\nwhile True: a.append(bytearray(64 << 20))"

    async def act(conversation: Conversation, client: httpx.AsyncClient) -> tuple[str, str, int]:
        other = await server.start_kernel(client)
        sentence = await hear_sentence(conversation, eater)
        await wait_until_back(conversation)
        after = (await conversation.run("print(4)")).text
        alive = await client.get(f"api/kernels/{other}")
        await client.delete(f"api/kernels/{other}")
        return sentence, after, alive.status_code

    sentence, after, alive = in_kernel(server, act)
    assert sentence.startswith("Mémoire épuisée")
    assert after == "4\n"
    assert alive == 200
    assert "died: out of memory" in read_server_log(hub)


def test_the_number_of_kernels_is_limited_with_a_sentence(server: Server) -> None:
    async def act() -> tuple[int, httpx.Response, httpx.Response]:
        async with server.client() as client:
            kernels = [await server.start_kernel(client) for _ in range(12)]
            refused = await client.post("api/kernels", json={"name": "python3"})
            body = {"path": "x.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
            session = await client.post("api/sessions", json=body)
            await write_lesson(client)
            lesson = await client.get(f"voila/render/{LESSON}")
            assert lesson.status_code == 409
            assert "Vous avez déjà 12 noyaux ouverts" in lesson.text
            assert "https://" not in lesson.text, "nothing is asked from another host"
            absent = await client.get("voila/render/absent.ipynb")
            assert (absent.status_code, "Cette leçon n’existe pas" in absent.text) == (404, True)
            for kernel in kernels:
                assert (await client.delete(f"api/kernels/{kernel}")).status_code == 204
            await client.delete(f"api/kernels/{await server.start_kernel(client)}")
            return len(kernels), refused, session

    _count, refused, session = asyncio.run(act())
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("Vous avez déjà 12 noyaux ouverts")
    assert session.json()["message"].startswith("Vous avez déjà 12 noyaux ouverts")


def test_a_lessons_kernel_ends_with_its_page_and_a_notebooks_does_not(server: Server) -> None:
    async def act() -> tuple[float, int]:
        async with server.client() as client:
            await write_lesson(client)
            reading = await read_lesson(server, client)
            check_reading(reading)
            lesson, notebook = (
                await server.connect(reading.kernel),
                await server.connect(await server.start_kernel(client)),
            )
            assert (await lesson.run("1")).error == ""
            left = time.monotonic()
            for conversation in (lesson, notebook):
                conversation.connection.close(1001, "left")
            while (await client.get(f"api/kernels/{reading.kernel}")).status_code == 200:
                assert time.monotonic() < left + 10
                await asyncio.sleep(0.05)
            took = time.monotonic() - left
            await asyncio.sleep(1)
            kept = (await client.get(f"api/kernels/{notebook.kernel}")).status_code
            await client.delete(f"api/kernels/{notebook.kernel}")
            await client.delete(f"api/contents/{LESSON}")
            return took, kept

    took, kept = asyncio.run(act())
    assert took < 2
    assert kept == 200


def test_fifty_readings_of_a_lesson_none_of_them_stalls(server: Server) -> None:
    readings, stalled = asyncio.run(read_again_and_again(server, RENDERS, at_once=3, patience_s=30))
    assert (len(readings), stalled) == (RENDERS, 0)
    assert max(reading.done_s for reading in readings) < 10


def test_the_log_knows_no_unencrypted_kernel(hub: RunningHub) -> None:
    assert "TCP without encryption" not in read_server_log(hub)


def test_no_kernel_is_left(hub: RunningHub, server: Server) -> None:
    with httpx.Client(base_url=server.url, headers=server.headers, trust_env=False) as client:
        assert client.get("api/kernels").json() == []
    # Of this forkd alone: other installations of this machine have learners too.
    assert [pid for pid in descendants_of(hub.daemon.process.pid) if read_name(pid) == "kernel"] == []


def descendants_of(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        with contextlib.suppress(OSError):  # it has just ended
            yield from descendants_of(int(child))


def read_name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
