"""`pupitre newcourse SLUG`: write a small complete course into a folder, to be transformed and published."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from hub.jupyter.bridge.coursetemplate import make_course_files
from hub.portal.catalogue.models import SLUG_PATTERN


class Command(BaseCommand):
    help = "Écrit un petit parcours complet, à transformer, dans le dossier SLUG."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="l’adresse courte du parcours : minuscules sans accent, chiffres, tirets")
        parser.add_argument("--title", help="son titre ; sans lui, l’adresse courte")
        parser.add_argument("--author", default="", help="le nom de son auteur")
        parser.add_argument("--into", type=Path, default=Path(), help="où créer le dossier ; ici par défaut")

    def handle(self, *args: Any, slug: str, title: str | None, author: str, into: Path, **options: Any) -> None:
        if not re.fullmatch(SLUG_PATTERN, slug):
            raise CommandError(
                _("« %(slug)s » : minuscules sans accent, chiffres et tirets seulement.") % {"slug": slug}
            )
        folder = into / slug
        if folder.exists() or folder.is_symlink():
            raise CommandError(_("« %(folder)s » existe déjà : rien n’a été écrit.") % {"folder": folder})
        try:
            for path, data in make_course_files(slug, title or slug, author or _("Votre nom")):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        except OSError as error:
            message = _("« %(folder)s » n’a pas pu être écrit (%(reason)s).")
            raise CommandError(message % {"folder": folder, "reason": error.strerror}) from error
        self.stdout.write(_("%(folder)s est prêt : modifiez course.yml et les carnets.") % {"folder": folder})
