"""`pupitre syncgradebook [session …]`: make nbgrader gradebooks again from the portal's marks."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from graders.models import Assignment
from graders.projection import rebuild


class Command(BaseCommand):
    help = "Make the nbgrader gradebook of each session (or of those named) again from the portal's marks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sessions", nargs="*", metavar="session")

    def handle(self, *, sessions: list[str], **options: Any) -> None:
        known = set(Assignment.objects.values_list("session", flat=True))
        unknown = sorted(set(sessions) - known)
        if unknown:
            raise CommandError(f"No assignment was ever released in: {', '.join(unknown)}")
        for session in sorted(sessions or known):
            count = rebuild(session)
            self.stdout.write(f"{session}: {count} submissions")
