"""`pupitre awardbadges`: deliver the badges of completed courses that could not be delivered at once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from badges.errors import BadgeError
from hub.portal.learning.awarding import deliver_pending, renew_demonstrations


class Command(BaseCommand):
    help = "Délivre les badges des parcours terminés qui n’ont pas pu l’être tout de suite."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--renew-demonstrations",
            action="store_true",
            help="efface d’abord les badges de démonstration, pour délivrer les vrais",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["renew_demonstrations"]:
            try:
                dropped = renew_demonstrations()
            except BadgeError as error:
                raise CommandError(error.message) from error
            self.stdout.write(_("%(dropped)d badge(s) de démonstration effacé(s).") % {"dropped": dropped})
        done, failed = deliver_pending()
        self.stdout.write(_("%(done)d parcours terminé(s) traité(s).") % {"done": done})
        if failed:
            raise CommandError(_("%(failed)d en échec : le journal en donne la cause.") % {"failed": failed})
