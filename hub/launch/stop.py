"""`pupitre stop`: ends the Hub, what it manages, and forkd with every learner's server; files are kept."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

from hub.environment import load_environment
from hub.launch.process import read_process
from sandbox.client import Forkd
from sandbox.errors import SandboxError


def stop(arguments: Sequence[str] = ()) -> int:
    environment = load_environment()
    run_dir = environment.run_dir
    ended = []
    hub = read_process(run_dir / "hub.pid")
    if hub:
        hub.end(patience_s=15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(hub.pid, signal.SIGKILL)  # its own session: what the Hub did not end itself
        ended.append("le service")
    forkd = read_process(run_dir / "forkd.pid")
    if forkd:
        with contextlib.suppress(SandboxError):  # it does not answer: what it started ends with the machine
            Forkd(run_dir / "forkd.sock").end_all()
        forkd.end(patience_s=15)
        ended.append("les serveurs des participants")
    for name in ("hub.pid", "forkd.pid", "forkd.sock"):
        (run_dir / name).unlink(missing_ok=True)
    print("Arrêté : " + " et ".join(ended) + "." if ended else "Rien ne tournait.")  # noqa: T201
    return 0
