"""`pupitre synccourses`: publish every course folder whose content is new; running it again changes nothing."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from graders.errors import GradersError
from hub.portal.catalogue.coursefile import COURSE_FILE, CourseFileError
from hub.portal.catalogue.publish import Publication, publish

log = logging.getLogger(__name__)

OUTCOMES = {
    "published": gettext_lazy("publié"),
    "replaced": gettext_lazy("remplacé"),
    "restored": gettext_lazy("remis en service"),
    "unchanged": gettext_lazy("inchangé"),
}


class Command(BaseCommand):
    help = "Publie les parcours du dossier des parcours (PUPITRE_COURSES_DIR)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--course", help="un seul parcours : le nom de son dossier")

    def handle(self, *args: Any, course: str | None = None, **options: Any) -> None:
        folders = self._list_folders(course)
        refusals = []
        rows = []
        for folder in folders:
            try:
                rows.append(self._describe(publish(folder)))
            except (CourseFileError, GradersError, OSError) as error:
                refusals.append(f"{folder.name}/{error}")
                log.warning("course %s not published: %s", folder.name, error)
                rows.append((folder.name, "", _("refusé"), refusals[-1]))
        self._print(rows)
        if refusals:
            text = ngettext(
                "%(failed)d parcours sur %(total)d n’est pas publié (les autres le sont) : %(first)s",
                "%(failed)d parcours sur %(total)d ne sont pas publiés (les autres le sont), dont : %(first)s",
                len(refusals),
            )
            raise CommandError(text % {"failed": len(refusals), "total": len(folders), "first": refusals[0]})

    def _list_folders(self, course: str | None) -> list[Path]:
        top = Path(settings.ENVIRONMENT.courses_dir)
        folders = sorted(path.parent for path in top.glob(f"*/{COURSE_FILE}"))
        if course is not None:
            folders = [folder for folder in folders if folder.name == course]
            if not folders:
                raise CommandError(_("Aucun parcours « %(course)s » dans %(top)s.") % {"course": course, "top": top})
        return folders

    def _describe(self, publication: Publication) -> tuple[str, str, str, str]:
        notes = [_("session %s ouverte") % session.slug for session in publication.opened]
        notes += [_("session %s mise à jour") % session.slug for session in publication.moved]
        version = publication.version
        return version.course.slug, version.version, str(OUTCOMES[publication.outcome]), ", ".join(notes)

    def _print(self, rows: list[tuple[str, str, str, str]]) -> None:
        if not rows:
            self.stdout.write(_("Aucun parcours à publier."))
            return
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True))
            self.stdout.write(f"{line}  {row[3]}".rstrip())
