"""`pupitre awardbadges`: deliver the badges of completed courses that could not be delivered at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from hub.portal.learning.awarding import deliver_pending


class Command(BaseCommand):
    help = "Délivre les badges des parcours terminés qui n’ont pas pu l’être tout de suite."

    def handle(self, *args: Any, **options: Any) -> None:
        done, failed = deliver_pending()
        self.stdout.write(_("%(done)d parcours terminé(s) traité(s).") % {"done": done})
        if failed:
            raise CommandError(_("%(failed)d en échec : le journal en donne la cause.") % {"failed": failed})
