"""The first code inside a sandbox: `python -I -m sandbox.entry MODULE CHANNEL_FD LISTEN_FD`.

Imports MODULE and calls its `main(channel, listen)`; `listen` is None when LISTEN_FD is -1. The module's name was fixed on
forkd's command line. By now the process is isolated: nothing here needs a privilege.
"""

from __future__ import annotations

import importlib
import socket
import sys
from collections.abc import Callable


def load_main(module: str) -> Callable[[socket.socket, socket.socket | None], object]:
    main: Callable[[socket.socket, socket.socket | None], object] = importlib.import_module(module).main
    return main


def take_socket(descriptor: int) -> socket.socket:
    """The inherited socket, which this process's own children do not inherit."""
    taken = socket.socket(fileno=descriptor)
    taken.set_inheritable(False)
    return taken


def run(arguments: list[str]) -> None:
    module, channel, listen = arguments[0], int(arguments[1]), int(arguments[2])
    sys.argv = [module]
    load_main(module)(take_socket(channel), take_socket(listen) if listen >= 0 else None)


if __name__ == "__main__":
    run(sys.argv[1:])
