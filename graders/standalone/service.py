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
from sandbox.errors import SandboxError

_PATIENCE_S = 30.0


class NoIsolation(Exception):
    """Learners' code cannot be isolated here; the message is forkd's own last line."""


class Service:
    """A forkd that starts; there is other work to do meanwhile."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._log, self._forkd = process, folder / "forkd.log", Forkd(folder / "forkd.sock")

    def wait(self) -> Path:
        """Until it answers; gives its socket.

        Raises
        ------
        NoIsolation
            It refused to start.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while not self._forkd.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = self._log.read_text(encoding="utf-8", errors="replace")
                raise NoIsolation(text.strip().rpartition("\n")[2])
            time.sleep(0.01)
        return self._forkd.path

    def end(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(OSError, SandboxError):
                self._forkd.end_all()
            self._process.terminate()
            self._process.wait(10)


@contextlib.contextmanager
def starting_forkd(isolation: str = "auto") -> Iterator[Service]:
    """Start forkd for marking runs only. Everything it started ends with it."""
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
        service = Service(process, folder)
        try:
            yield service
        finally:
            service.end()
