"""The command `pupitre`: Django's management commands, run as the account that owns the state."""

from __future__ import annotations

import os
import sys

from graders.standalone import command
from hub.environment import EnvironmentVariableError, load_environment


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in command.COMMANDS:  # on folders of nbgrader's: no portal, no state
        sys.exit(command.main(sys.argv[1:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.portal.settings")
    try:
        _run(sys.argv[1:])
    except EnvironmentVariableError as error:
        sys.exit(f"pupitre : {error}")


def _run(arguments: list[str]) -> None:
    from hub.launch import demo, run, stop  # they must not load Django's settings

    launchers = {"run": run.main, "stop": stop.stop, "demo": demo.main}
    if arguments and arguments[0] in launchers:
        sys.exit(launchers[arguments[0]](arguments[1:]))
    _leave_root(load_environment().state_dir.exists())
    from django.core.management import execute_from_command_line

    execute_from_command_line(["pupitre", *arguments])


def _leave_root(state_exists: bool) -> None:
    """As root, a command works as the account of the services: root's files in the state folder would stop them."""
    if os.geteuid() != 0 or not state_exists:
        return
    from hub.launch import account

    environment = load_environment()
    if environment.state_dir.stat().st_uid == 0:
        return  # a folder of root's own, such as a developer's
    account.become(environment, account.ensure_account())
    os.environ["HOME"] = str(environment.state_dir)
