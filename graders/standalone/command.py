"""Which of the commands on nbgrader's course directories. Imports nothing before it is known: start-up time is felt."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

COMMANDS = ("autograde", "release", "feedback")


def main(arguments: Sequence[str]) -> int:
    """Run `arguments[0]`, one of `COMMANDS`; gives its exit code."""
    module = importlib.import_module(f"graders.standalone.{arguments[0]}")
    code: int = module.main(arguments[1:])
    return code
