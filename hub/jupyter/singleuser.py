"""A learner's server, from the inside of its sandbox: `main(channel, listen)`, in a process that the nursery has forked.

Laws: the environment and the token arrive on the channel, once; no other process of the sandbox, though it has the same
uid, can read them (not dumpable, no file holds them); once the applications hold the token it leaves the environment, so
that kernels and terminals have none; no file of the home is executed here (configuration, templates, sitecustomize);
the server listens on the socket it inherited and says on the channel when it does.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import socket
from collections.abc import Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any

from traitlets.config import Application, Config

from hub.jupyter.trusted import get_trusted_folders, read_configuration_only_from
from sandbox.namespaces import set_dumpable, set_process_name

SHARE = Path(__file__).resolve().parent / "share"
WhenReady = Callable[[Any], Coroutine[Any, Any, None]]
_FIRST_ACTIVITY_S = (20, 40)
TOKENS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
# Kept from the base environment whatever the channel brings: they belong to the sandbox.
_OF_THE_SANDBOX = ("PATH", "HOME", "USER", "LOGNAME", "SHELL")


def main(channel: socket.socket, listen: socket.socket | None) -> None:
    """Run the server until it is told to end."""
    set_process_name("jupyter-server")
    set_dumpable(False)
    if listen is None:
        raise RuntimeError("a learner's server needs a listening socket")
    with channel.makefile("rb") as lines:
        line = lines.readline()
    if not line:
        raise SystemExit("the Hub went away before it sent an environment")
    given = json.loads(line)
    set_environment(given["env"])
    read_configuration_only_from([*get_trusted_folders(), SHARE])
    run_server(listen, channel, given["argv"])


def warm_up() -> None:
    """In the nursery: a notebook is checked against its schema, and what reads while it is imported that it will be a Hub's."""
    os.environ["JUPYTERHUB_SINGLEUSER_EXTENSION"] = "1"
    import nbformat
    from jupyterhub.singleuser import extension  # noqa: F401
    from nbformat import v4

    notebook: Any = v4.new_notebook(cells=[v4.new_code_cell("1"), v4.new_markdown_cell("*a*")])  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    nbformat.reads(nbformat.writes(notebook), as_version=4)  # type: ignore[no-untyped-call]


def rehearse() -> set[str]:
    from hub.jupyter.rehearsal import rehearse

    return rehearse()


def set_environment(env: MutableMapping[str, str], home: Path | None = None) -> None:
    """Put what the Hub sent and what Jupyter needs into this process's environment."""
    home = home or Path(os.environ["HOME"])
    kept = {name: os.environ[name] for name in _OF_THE_SANDBOX if name in os.environ}
    os.environ.update(env)
    os.environ.update(kept)
    os.environ.update(
        {
            "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
            "JUPYTERHUB_ROOT_DIR": str(home),
            # Read-only in the sandbox: nothing that a kernel writes is found as configuration, extension or template.
            "JUPYTER_CONFIG_DIR": str(SHARE / "config"),
            "JUPYTER_CONFIG_PATH": str(SHARE / "config"),
            "JUPYTER_DATA_DIR": str(SHARE / "jupyter"),
            "JUPYTER_PATH": str(SHARE / "jupyter"),
            "JUPYTER_RUNTIME_DIR": _make_private_folder("jupyter"),
            "JUPYTER_PLATFORM_DIRS": "1",
            # Data that lasts: in the home, and only ever read as JSON.
            "JUPYTERLAB_SETTINGS_DIR": str(home / ".jupyter" / "lab" / "user-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / ".jupyter" / "lab" / "workspaces"),
            "IPYTHONDIR": str(home / ".ipython"),
            "MPLCONFIGDIR": str(home / ".config" / "matplotlib"),
            "JUPYTER_DEFAULT_PROVISIONER_NAME": "pupitre",
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
    )
    os.environ.pop("LC_ALL", None)


def _make_private_folder(name: str) -> str:
    """A folder in the sandbox's own /tmp, which is empty when a server starts."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"{name}-{os.getpid()}"  # noqa: S108 - the sandbox's own
    folder.mkdir(mode=0o700, exist_ok=True)
    return str(folder)


def leave_closing_to_the_proxy() -> None:
    """Answer, and wait for the proxy to close the connection.

    The proxy asks for `Connection: close`, and Tornado closes as soon as it has answered. On a unix socket the proxy's last,
    empty write of a request with a body then fails at once, and the browser gets 503 for what was done (1 % of them, busy).
    """
    from tornado.http1connection import HTTP1Connection

    HTTP1Connection._can_keep_alive = lambda *_: True  # type: ignore[method-assign]


def spare_the_hub(extension: Any) -> None:
    """Two calls to the Hub less on the way to being ready: it is busy with this very spawn.

    Its version is ours, by installation. Activity is told after a while, and then as often as the Hub wants.
    """

    async def check_hub_version(_self: Any) -> None:
        """Nothing to check."""

    keep_activity_updated = extension.keep_activity_updated

    async def keep_activity_updated_later(self: Any) -> None:
        await asyncio.sleep(random.uniform(*_FIRST_ACTIVITY_S))  # noqa: S311 - spreads arrivals, protects nothing
        await keep_activity_updated(self)

    extension.check_hub_version = check_hub_version
    extension.keep_activity_updated = keep_activity_updated_later


def skip_empty_command_lines() -> None:
    """Each extension's application builds a parser of all its options to parse nothing: a fifth of a server's start."""
    parse = Application.parse_command_line

    def parse_command_line(self: Any, argv: list[str] | None = None) -> None:
        if argv:
            parse(self, argv)
        else:
            self.argv, self.extra_args, self.cli_config = [], [], Config()

    Application.parse_command_line = parse_command_line  # type: ignore[method-assign]


def make_server_class(
    listen: socket.socket, channel: socket.socket, configuration: Config, when_ready: WhenReady | None = None
) -> type:
    """jupyter_server's application on an inherited socket, which writes no secret to a file."""
    from jupyter_server.serverapp import ServerApp
    from traitlets import default

    class SandboxedServer(ServerApp):
        """jupyter_server, started in a sandbox."""

        def initialize(self, *args: Any, **kwargs: Any) -> None:
            self.update_config(configuration)
            super().initialize(*args, **kwargs)

        def _find_http_port(self) -> None:
            """No port: the socket was bound before this process was born."""

        def _bind_http_server(self) -> None:
            listen.setblocking(False)
            self.http_server.add_socket(listen)
            self._leave_tokens()
            channel.sendall(b'{"ready": true}\n')
            channel.close()
            if when_ready is not None:
                self._visit = asyncio.ensure_future(when_ready(self))

        @default("cookie_secret")
        def _make_cookie_secret(self) -> bytes:
            return secrets.token_bytes(32)  # the stock one is a file that a kernel can read

        def write_server_info_file(self) -> None:
            """Not written: it would hold the Hub's token, and a kernel could read it."""

        def write_browser_open_files(self) -> None:
            """Not written, for the same reason."""

        def migrate_config(self) -> None:
            """Nothing to migrate, and the configuration's folder is read-only."""

        def _leave_tokens(self) -> None:
            """From here on children get an environment without tokens; the applications hold theirs."""
            for extension_apps in self.extension_manager.extension_apps.values():
                for app in extension_apps:
                    if hasattr(app, "hub_auth"):
                        app.hub_auth.api_token  # noqa: B018 - read from the environment now, kept in the object
            if self.identity_provider.token == "":
                raise SystemExit("the Hub's identity provider is not in place")
            for name in TOKENS:
                os.environ.pop(name, None)
            # A terminal belongs to the learner: their own configuration is found there again, with ours.
            own = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "PUPITRE_PORTAL_SOCKET"))
            terminals = self.web_app.settings.get("terminal_manager")
            if terminals is not None:
                terminals.extra_env = {**terminals.extra_env, **own}
                terminals.term_settings = {**terminals.term_settings, "cwd": self.root_dir}

    return SandboxedServer


def run_server(
    listen: socket.socket, channel: socket.socket, argv: list[str], when_ready: WhenReady | None = None
) -> None:
    """Serve until told to end; `when_ready` is for a rehearsal."""
    # Imported late: these modules read the environment while they are imported.
    os.environ["JUPYTERHUB_SINGLEUSER_EXTENSION"] = "1"
    from jupyterhub.singleuser.extension import JupyterHubSingleUser

    leave_closing_to_the_proxy()
    spare_the_hub(JupyterHubSingleUser)
    home = Path(os.environ["HOME"])
    # nbgrader's Assignment List works in the process's own folder; what lies there is not trusted configuration.
    os.chdir(home)
    data = home / ".local" / "share" / "jupyter"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration: Any = Config()
    configuration.NotebookNotary.db_file = str(data / "nbsignatures.db")
    configuration.NotebookNotary.secret_file = str(data / "notebook_secret")
    # Templates are programs: never from the working directory.
    configuration.TemplateExporter.extra_template_basedirs = []
    skip_empty_command_lines()
    JupyterHubSingleUser.serverapp_class = make_server_class(listen, channel, configuration, when_ready)
    JupyterHubSingleUser.launch_instance(argv)
