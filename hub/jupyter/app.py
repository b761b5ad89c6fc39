"""JupyterHub with a second door: `python -m hub.jupyter.app -f jupyterhub_config.py`.

Learners' servers have no network, so the Hub also listens on a unix socket, which forkd shows them. Its pages follow the
reader's language (`language.py`). Everything else is stock JupyterHub; its SQLite database is opened in WAL mode, where
a commit does not wait for the disk to turn twice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub.services import service as services
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tornado.netutil import bind_unix_socket
from traitlets import Unicode, default

from hub.environment import load_environment
from hub.jupyter.language import LanguageOfRequest, Translation


class Hub(JupyterHub):
    """JupyterHub, which learners' servers reach through a unix socket."""

    door = Unicode(config=True, help="Unix socket of the Hub's API for learners' servers.")

    @default("door")
    def _default_door(self) -> str:
        return str(load_environment().run_dir / "doors" / "hub.sock")

    @default("jinja_environment_options")
    def _translated_pages(self) -> dict[str, Any]:
        return {"extensions": [Translation]}

    def init_tornado_application(self) -> None:
        super().init_tornado_application()
        self.tornado_application.add_transform(LanguageOfRequest)

    def init_db(self) -> None:
        if self.db_url.startswith("sqlite"):
            event.listen(Engine, "connect", _set_pragmas)
        super().init_db()

    async def start(self) -> None:
        # Any learner may knock: every request is checked by its token, as on the Hub's TCP port.
        # Bound first: a server that lived through our restart and knocks now waits in the backlog.
        Path(self.door).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        door = bind_unix_socket(self.door, mode=0o666)
        await super().start()
        self.http_server.add_socket(door)
        self.log.info("Hub API for learners' servers on %s", self.door)


def _set_pragmas(connection: Any, _record: Any) -> None:
    """NORMAL in WAL mode: a power cut may lose the last commits of the Hub, never its consistency."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


class ServiceSpawner(services._ServiceSpawner):
    """A service of ours that died is started again within 2 s; JupyterHub looks every 30 s, and has no setting for it."""

    @default("poll_interval")
    def _default_poll_interval(self) -> int:
        return 2


services._ServiceSpawner = ServiceSpawner
main = Hub.launch_instance

if __name__ == "__main__":
    sys.exit(main())
