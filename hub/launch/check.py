"""Checks before a start: tools, disk, ports. Each failure is one sentence that says what to do."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from hub.environment import Environment
from hub.launch.errors import LaunchError

FREE_BYTES_WANTED = 500 << 20


def check_tools(environment: Environment) -> None:
    if shutil.which("node") is None:
        raise LaunchError(
            "Node.js est introuvable : installez Node 20 ou plus récent (sous Debian : apt install nodejs npm)."
        )
    if not proxy_command(environment).exists():
        raise LaunchError("Le proxy n'est pas installé : lancez « make run », qui installe tout ce qu'il faut.")


def proxy_command(environment: Environment) -> Path:
    return environment.node_modules / ".bin" / "configurable-http-proxy"


def check_disk(environment: Environment) -> None:
    folder = environment.state_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_WANTED:
        raise LaunchError(
            f"Le disque est presque plein : il reste {free >> 20} Mo pour {environment.state_dir}, il en faut {FREE_BYTES_WANTED >> 20}. Libérez de la place puis relancez."
        )


def check_ports(environment: Environment) -> None:
    """Each of our four ports must be free on its address."""
    wanted = {
        environment.port: environment.bind,
        environment.portal_port: "127.0.0.1",
        environment.hub_port: "127.0.0.1",
        environment.proxy_api_port: "127.0.0.1",
    }
    for port, address in wanted.items():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise LaunchError(
                    f"Le port {port} de {address} n'est pas libre ({error.strerror}) : arrêtez le programme qui l'occupe, "
                    f"ou choisissez un autre port, par exemple PUPITRE_PORT={environment.port + 100} make run."
                ) from error
