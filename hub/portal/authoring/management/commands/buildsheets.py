"""`pupitre buildsheets FOLDER`: the classroom sheets of a course as files, to print or to pass on outside the platform."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.portal.catalogue.coursecontent import load_course_and_content
from hub.portal.catalogue.coursefile import CourseFileError
from hub.portal.catalogue.sheet import VERSIONS, parse_sheet, render_notebook, render_pdf


class Command(BaseCommand):
    help = "Écrit les fiches de classe d’un parcours en PDF et en carnets, dans un dossier."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="le dossier du parcours, qui contient course.yml")
        parser.add_argument("--into", type=Path, default=Path("fiches"), help="où écrire ; « fiches » par défaut")

    def handle(self, *args: Any, folder: Path, into: Path, **options: Any) -> None:
        try:
            course, content = load_course_and_content(folder)
        except CourseFileError as error:
            raise CommandError(str(error)) from error
        written = 0
        try:
            into.mkdir(parents=True, exist_ok=True)
            for module in course.modules:
                source = content.modules[module.slug].sheet
                if source is None:
                    continue
                sheet = parse_sheet(source)
                for version in VERSIONS:
                    stem = into / f"{module.slug}-{version}"
                    stem.with_suffix(".pdf").write_bytes(
                        render_pdf(sheet, version, course=course.title, module=module.title, license=course.license)
                    )
                    written += 1
                    if version != "professeur":
                        stem.with_suffix(".ipynb").write_bytes(render_notebook(sheet, version))
                        written += 1
        except OSError as error:
            message = _("« %(folder)s » n’a pas pu être écrit (%(reason)s).")
            raise CommandError(message % {"folder": into, "reason": error.strerror}) from error
        text = ngettext(
            "%(count)d fichier écrit dans %(folder)s.", "%(count)d fichiers écrits dans %(folder)s.", written
        )
        self.stdout.write(text % {"count": written, "folder": into})
