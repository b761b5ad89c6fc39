"""`pupitre demo`: Pupitre in a state folder of its own with a small lively world; passwords are drawn at each start and printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hub.environment import load_environment
from hub.launch import account as accounts
from hub.launch.errors import LaunchError
from hub.launch.run import end_group, manage, start, stay


def main(arguments: Sequence[str]) -> int:
    environment = load_environment()
    try:
        hub, _link = start(environment)
    except LaunchError as error:
        print(f"pupitre : {error}", file=sys.stderr)  # noqa: T201
        return 1
    print("Peuplement : personnes, inscriptions, essais corrigés…", flush=True)  # noqa: T201
    try:
        people = manage(environment, accounts.ensure_account(), ["seeddemo"])
    except LaunchError as error:
        end_group(hub)
        print(f"pupitre : {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"\nPupitre répond : {environment.public_url}\n\n{people}", flush=True)  # noqa: T201
    return 0 if "--detach" in arguments else stay(environment, hub)
