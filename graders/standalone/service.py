"""A forkd of its own, for the time of one command: no installation of Pupitre is needed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.client import Forkd

_PATIENCE_S = 30.0


class NoIsolation(Exception):
    """Learners' code cannot be isolated here; the message is forkd's own last line."""


@contextlib.contextmanager
def running_forkd(isolation: str = "auto") -> Iterator[Path]:
    """Start forkd for marking runs only; yields its socket. Everything it started ends with it.

    Raises
    ------
    NoIsolation
        It refused to start.
    """
    with tempfile.TemporaryDirectory(prefix="pupitre-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        command = [
            sys.executable, "-P", "-m", "sandbox.forkd",
            "--socket", f"{folder}/forkd.sock",
            "--servers-dir", f"{folder}/servers",
            "--doors-dir", f"{folder}/doors",
            "--homes-dir", f"{folder}/homes",
            "--log-dir", f"{folder}/log",
            "--owner", str(os.geteuid()),
            "--isolation", isolation,
            "--entry", "grading=graders.engine.child",
        ]  # fmt: skip
        log = folder / "forkd.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd="/", env={}, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        forkd = Forkd(folder / "forkd.sock")
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while not forkd.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise NoIsolation(log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2])
                time.sleep(0.01)
            yield forkd.path
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    forkd.end_all()
                process.terminate()
                process.wait(10)
