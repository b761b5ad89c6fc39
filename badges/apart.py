"""Somebody's file, read by a script in a process of its own that has limits: what a library does with it harms nobody here.

The script takes the content on its standard input, limits itself, and writes one JSON object. Its environment is empty.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


class NoTurn(Exception):
    """Others are being read, and none of them has ended in time."""


class NoAnswer(Exception):
    """Ended by a limit or by the clock, or what it wrote is no answer."""


class Apart:
    """One script beside this module. `at_once`: in this process; others wait their turn, `timeout_s` at most."""

    def __init__(self, script: str, timeout_s: float, at_once: int) -> None:
        self._command = [sys.executable, "-I", str(Path(__file__).with_name(script))]
        self._timeout_s = timeout_s
        self._turns = threading.BoundedSemaphore(at_once)

    def read(self, content: bytes) -> dict[str, Any]:
        """Raises NoTurn or NoAnswer."""
        if not self._turns.acquire(timeout=self._timeout_s):
            raise NoTurn
        try:
            done = subprocess.run(
                self._command, input=content, capture_output=True, env={}, timeout=self._timeout_s, check=True
            )
            answer: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from error
        finally:
            self._turns.release()
        return answer
