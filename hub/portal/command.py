"""The command `pupitre`: Django's management commands, run by whoever owns the state."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from hub.environment import EnvironmentVariableError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.portal.settings")
    try:
        execute_from_command_line(["pupitre", *sys.argv[1:]])
    except EnvironmentVariableError as error:
        sys.exit(f"pupitre: {error}")
