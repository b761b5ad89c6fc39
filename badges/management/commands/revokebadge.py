"""`pupitre revokebadge CODE --reason "…"`: revoke an award; the learner is told."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from badges.awards import revoke_award
from badges.check_codes import find_check_code
from badges.errors import RevocationRefused
from badges.models import Award


class Command(BaseCommand):
    help = "Révoque un badge délivré ; la personne en reçoit le motif."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--reason", required=True, metavar="MOTIF")

    def handle(self, *args: Any, **options: Any) -> None:
        award = Award.objects.filter(check_code=find_check_code(options["code"]) or "").first()
        if award is None:
            raise CommandError(_("Aucun badge délivré ici ne porte le code %(code)s.") % {"code": options["code"]})
        try:
            revoke_award(award, reason=options["reason"], by=None)
        except RevocationRefused as error:
            raise CommandError(error.message) from error
        self.stdout.write(_("Le badge %(code)s est révoqué.") % {"code": award.check_code})
