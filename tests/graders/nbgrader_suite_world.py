"""pytest plugin for nbgrader's own tests of its commands: those that ours replace are run by ours, in the same process.

Loaded with `-p` in a process of its own (test_nbgrader_autograde_suite.py). One forkd serves them all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OURS = {
    "autograde": "autograde",
    "generate_assignment": "release",
    "generate_feedback": "feedback",
    # nbgrader's old names of two commands
    "assign": "release",
    "feedback": "feedback",
}


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    from graders.standalone import autograde, service

    with service.starting_forkd() as running:
        running.wait()

        @contextlib.contextmanager
        def one_for_all(_isolation: str = "auto") -> Iterator[Any]:
            yield running

        autograde.starting_forkd = one_for_all
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        module.run_nbgrader = _replace(module.run_nbgrader)


def _replace(theirs: Callable[..., Any]) -> Callable[..., Any]:
    def run_nbgrader(args: list[str], retcode: int = 0, env: Any = None, stdout: bool = False) -> Any:
        if args[0] not in OURS:
            return theirs(args, retcode=retcode, env=env, stdout=stdout)
        code = _run(OURS[args[0]], args[1:])
        # Ours tells more apart: 1 is « a submission failed », 2 « nothing could be done », 3 « there is nothing ».
        assert bool(code) == bool(retcode), (args, code)
        return ""

    return run_nbgrader


def _run(name: str, arguments: list[str]) -> int:
    from graders.standalone import command

    path, here = os.environ["PATH"], Path.cwd()
    try:
        return command.main([name, *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        os.environ["PATH"] = path
        os.chdir(here)
