"""The Hub's side of a learner's server: asks forkd for a sandbox, sends it its environment and token, waits until it is ready.

Laws: the token goes into the child's channel and nowhere else; nothing is polled to know that a server is ready (it says
so, or its channel closes); a server is known by pid and start time, so that a restarted Hub finds it again and never takes
another process for it; what goes wrong is a sentence on the Hub's page and a line of its log.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyterhub.spawner import Spawner
from traitlets import Integer, Unicode, default

from hub.environment import load_environment
from hub.jupyter.language import gettext, gettext_noop
from hub.jupyter.uids import ensure_uid
from sandbox.client import Forkd, Request, Sandbox
from sandbox.errors import SandboxError
from sandbox.filesystem import DOORS
from sandbox.limits import Limits

REVIEW_PREFIX = "relecture-"
# With the run folder's name, "/servers/" and ".sock:80", a socket's path stays within the 107 bytes of unix(7).
_LABEL_LENGTH = 56
_LOG_TAIL_BYTES = 3000
_LOG_TAIL_LINES = 12
_SENTENCES = {
    "forkd_unavailable": gettext_noop(
        "Le service qui démarre les serveurs ne répond pas. Prévenez l’administrateur, puis réessayez."
    ),
    "already_running": gettext_noop(
        "Votre serveur précédent s’arrête encore. Patientez quelques secondes, puis réessayez."
    ),
    "home_refused": gettext_noop("Votre dossier personnel n’est pas utilisable. Prévenez l’administrateur."),
    "socket_path": gettext_noop(
        "Le dossier des sockets (PUPITRE_RUN_DIR) a un nom trop long. Prévenez l’administrateur."
    ),
    "not_isolated": gettext_noop(
        "Cette machine a refusé d’isoler votre serveur, qui n’a donc pas démarré. Prévenez l’administrateur."
    ),
}
_TAIL = gettext_noop("Dernières lignes de son journal :")
_OTHER = gettext_noop("Votre serveur n’a pas pu démarrer. Réessayez ; si cela se répète, prévenez l’administrateur.")


class ServerNotStarted(Exception):
    """A learner's server did not start; `jupyterhub_message` is the sentence that the Hub's page shows."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        sentence = gettext(sentence)
        super().__init__(detail or sentence)
        self.jupyterhub_message = f"{sentence}\n\n{detail}" if detail else sentence


def make_label(user_name: str, server_name: str = "") -> str:
    """The name of a server's sandbox, home and socket: `[a-z0-9-]`, and never the same for two servers."""
    plain = f"{user_name}-{server_name}" if server_name else user_name
    # The first "-" of a plain label ends the user's name.
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9-]+)?", plain) and "-" not in user_name and len(plain) <= _LABEL_LENGTH:
        return plain
    digest = hashlib.sha256(json.dumps([user_name, server_name]).encode()).hexdigest()[:12]
    stem = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[: _LABEL_LENGTH - 14]
    return f"{stem or 'x'}--{digest}"


class WarmSpawner(Spawner):
    """Starts a learner's server in a sandbox, forked from the warm nursery."""

    pid = Integer(0)
    start_time = Integer(0)

    forkd_socket = Unicode(config=True, help="Where forkd listens.")
    uids_file = Unicode(config=True, help="SQLite file of the uids given to homes.")
    processes = Integer(400, config=True, help="Processes and threads of one learner; a kernel has about twelve.")
    file_bytes = Integer(2 << 30, config=True, help="Size of the largest file a learner may write, bytes.")
    open_files = Integer(4096, config=True, help="Files one process of a learner may hold open.")
    stop_timeout_s = Integer(10, config=True, help="Time a server has to end by itself before it is killed, seconds.")

    @default("forkd_socket")
    def _default_forkd_socket(self) -> str:
        return str(load_environment().run_dir / "forkd.sock")

    @default("uids_file")
    def _default_uids_file(self) -> str:
        return str(load_environment().state_dir / "uids.sqlite")

    @default("hub_connect_url")
    def _default_hub_connect_url(self) -> str:
        return "http+unix://" + quote(f"{DOORS}/hub.sock", safe="")

    @default("env_keep")
    def _default_env_keep(self) -> list[str]:
        return []  # nothing of the Hub's own environment

    @default("poll_interval")
    def _default_poll_interval(self) -> int:
        return 5  # seconds; to look is one system call, and until then a server that died answers 503

    @default("disable_user_config")
    def _default_disable_user_config(self) -> bool:
        return True

    @property
    def forkd(self) -> Forkd:
        return Forkd(Path(self.forkd_socket))

    @property
    def label(self) -> str:
        return make_label(self.user.name, self.name)

    @property
    def profile(self) -> str:
        return "review" if self.name.startswith(REVIEW_PREFIX) else "server"

    # --- what the Hub keeps ------------------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.pid:
            state |= {"pid": self.pid, "start_time": self.start_time}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.pid = state.get("pid", 0)
        self.start_time = state.get("start_time", 0)

    def clear_state(self) -> None:
        super().clear_state()
        self.pid = self.start_time = 0

    def get_env(self) -> dict[str, str]:
        env: dict[str, str] = super().get_env()
        env.setdefault("PUPITRE_PUBLIC_URL", load_environment().public_url)
        env.setdefault("PUPITRE_HOME_BYTES", str(load_environment().home_bytes))
        return env | {"PUPITRE_PORTAL_SOCKET": f"{DOORS}/portal.sock", "PUPITRE_PROFILE": self.profile}

    # --- life of a server --------------------------------------------------------------------------------------------
    async def start(self) -> str:
        """Start the server and return its address; raises ServerNotStarted."""
        try:
            sandbox = await self.forkd.astart(await asyncio.to_thread(self._make_request))
        except SandboxError as error:
            self.log.error("%s: no sandbox: %s: %s", self._log_name, error.code, error)
            raise ServerNotStarted(_SENTENCES.get(error.code, _OTHER)) from error
        with sandbox:
            self.pid, self.start_time = sandbox.pid, sandbox.start_time
            if not await self._hand_over(sandbox):
                tail = await asyncio.to_thread(_read_tail, sandbox.log)
                self.log.error("%s: the server ended before it was ready:\n%s", self._log_name, tail)
                raise ServerNotStarted(_OTHER, f"{gettext(_TAIL)}\n{tail}" if tail else "")
            return "http+unix://" + quote(str(sandbox.socket), safe="")

    def _make_request(self) -> Request:
        memory_bytes = int(self.mem_limit or load_environment().learner_memory_bytes)
        return Request(
            profile=self.profile,
            label=self.label,
            uid=ensure_uid(Path(self.uids_file), self.label),
            limits=Limits(memory_bytes, self.processes, None, self.file_bytes, self.open_files),
        )

    async def _hand_over(self, sandbox: Sandbox) -> bool:
        """Give the server its environment and token; true once it listens, false if it ended instead."""
        channel, sandbox.channel = sandbox.channel, None
        if channel is None:
            return False
        reader, writer = await asyncio.open_unix_connection(sock=channel)
        try:
            writer.write(json.dumps({"env": self.get_env(), "argv": list(self.get_args())}).encode() + b"\n")
            await writer.drain()
            return bool(await reader.readline())
        except OSError:
            return False
        finally:
            writer.close()

    async def poll(self) -> int | None:
        """None while the server lives."""
        sandbox = self.forkd.find(self.pid, self.start_time)
        if sandbox is not None:
            sandbox.close()
            return None
        self.clear_state()
        return 0

    async def stop(self, now: bool = False) -> None:
        """Ask the server to end, then kill what is left of its sandbox."""
        sandbox = self.forkd.find(self.pid, self.start_time)
        if sandbox is None:
            self.clear_state()
            return
        with sandbox:
            for signal_it, timeout_s in ((sandbox.end, self.stop_timeout_s), (sandbox.kill, 10)):
                if now and signal_it == sandbox.end:
                    continue
                try:
                    await asyncio.to_thread(signal_it)
                except SandboxError as error:
                    self.log.error("%s: cannot be signalled: %s: %s", self._log_name, error.code, error)
                    raise
                if await _has_ended(sandbox, timeout_s):
                    break
                self.log.warning("%s: still there %s s after it was told to end", self._log_name, timeout_s)
            else:
                raise RuntimeError(f"{self._log_name}: sandbox {sandbox.pid} cannot be killed")
        self.clear_state()


async def _has_ended(sandbox: Sandbox, timeout_s: float) -> bool:
    """Wait for the end without polling."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sandbox.pidfd, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), timeout_s)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(sandbox.pidfd)
    return True


def _read_tail(log: Path | None) -> str:
    """The last lines of a server's log, as text: it is a learner's, hence hostile."""
    if log is None:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
            lines = file.read(_LOG_TAIL_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines[-_LOG_TAIL_LINES:])
