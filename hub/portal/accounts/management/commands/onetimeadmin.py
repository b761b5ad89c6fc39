"""Print the one-time link that creates the administrator, or nothing when there is one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from hub.portal.accounts import firstaccess


class Command(BaseCommand):
    help = "Print the one-time link that creates the administrator; nothing when there is one already."

    def handle(self, *args: Any, **options: Any) -> None:
        if firstaccess.is_needed():
            self.stdout.write(firstaccess.make_link())
