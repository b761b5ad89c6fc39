"""`pupitre rotatekey`: add a signing key, which signs from now on; the awards signed before stay valid.

`--retire KID` marks a key as compromised: files it signed no longer hold, and the awards themselves are signed anew.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from badges.awards import sign_anew
from badges.issuer import load_issuer
from badges.keys import KINDS, add_key, retire_key


class Command(BaseCommand):
    help = "Ajoute une clé de signature (les badges déjà délivrés restent valables), ou en retire une."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=KINDS, help="une seule sorte de clé ; les deux par défaut")
        parser.add_argument("--retire", metavar="KID", help="clé compromise : ses signatures ne valent plus rien")

    def handle(self, *args: Any, **options: Any) -> None:
        issuer = load_issuer()
        folder = issuer.keys_dir
        if options["retire"]:
            try:
                retire_key(folder, options["retire"])
            except LookupError as error:
                raise CommandError(_("Aucune clé ne s’appelle %(kid)s.") % {"kid": options["retire"]}) from error
            count = sign_anew(issuer, options["retire"])
            self.stdout.write(
                _("Clé retirée : %(kid)s ; badges signés à nouveau : %(count)d")
                % {"kid": options["retire"], "count": count}
            )
            return
        for kind in [options["kind"]] if options["kind"] else KINDS:
            self.stdout.write(_("Nouvelle clé : %(kid)s") % {"kid": add_key(folder, kind).kid})
