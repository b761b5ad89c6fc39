"""`pupitre prepare`: everything a start needs of the database and the files, in one process; run again, it changes nothing.

One bad course does not stop the start: it is said, and what was published before stays. Prints the one-time link of the
first administrator as its last line, if there is none yet.
"""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

UNUSED_FILES = [
    "bootstrap-*",
    "*.rtl.*",
    "bootstrap.css*",
    "bootstrap.js*",
    "bootstrap.bundle*",
    "bootstrap.esm*",
    "ext",
    "*.ts",
]
"""Of the npm packages: half of what would be hashed and compressed at each start."""


class Command(BaseCommand):
    help = "Migrate, gather static files, make the Hub known, publish courses, deliver badges that are late."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNUSED_FILES)
        call_command("ensurehubclient")
        for command in ("synccourses", "awardbadges"):
            try:
                call_command(command, stdout=self.stderr)
            except CommandError as error:
                self.stderr.write(str(error))
        call_command("onetimeadmin", stdout=self.stdout)
