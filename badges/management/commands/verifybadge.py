"""`pupitre verifybadge FILE…`: what is true about a badge file; exit code 1 when one of them is not valid."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from badges.foreign import judge_foreign
from badges.issuer import load_issuer
from badges.register import AwardRegister
from badges.verify import MAX_FILE_BYTES, State, verify_file


class Command(BaseCommand):
    help = "Dit ce qui est vrai d’un badge (PNG, SVG, PDF, JSON, JWT)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FICHIER")
        parser.add_argument("--json", action="store_true", help="une ligne JSON par fichier")

    def handle(self, *args: Any, **options: Any) -> None:
        register, now = AwardRegister(load_issuer()), timezone.now()
        all_valid = True
        for path in options["files"]:
            try:
                with path.open("rb") as file:
                    content = file.read(MAX_FILE_BYTES + 1)
            except OSError as error:
                raise CommandError(_("%(file)s : %(error)s") % {"file": path, "error": error.strerror}) from error
            verdict = judge_foreign(content, verify_file(content, register, now), settings.ENVIRONMENT.verifier_hosts)
            all_valid = all_valid and verdict.state == State.VALID
            if options["json"]:
                answer = {"file": str(path), "state": verdict.state, "code": verdict.code, "message": verdict.sentence}
                self.stdout.write(json.dumps(answer, ensure_ascii=False))
            else:
                self.stdout.write(f"{path} : {verdict.sentence} [{verdict.code}]")
        if not all_valid:
            sys.exit(1)
