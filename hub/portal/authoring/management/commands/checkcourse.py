"""`pupitre checkcourse FOLDER`: the author's proof-reader; writes nothing in the course."""

from __future__ import annotations

import json as jsonlib
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.portal.authoring.checkcourse.check import check_course
from hub.portal.authoring.checkcourse.findings import Report
from hub.portal.catalogue.coursefile import COURSE_FILE
from sandbox.client import Forkd


class Command(BaseCommand):
    help = "Relit un parcours : exécute chaque carnet, vérifie solutions, points, figures, textes. Rien n’est modifié."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="le dossier du parcours, qui contient course.yml")
        parser.add_argument("--jobs", type=int, default=2, help="combien de carnets à la fois ; 2 par défaut")
        parser.add_argument("--json", action="store_true", help="le rapport en JSON, sur la sortie standard")
        parser.add_argument("--no-run", action="store_true", help="lire sans exécuter : plus rapide, moins complet")

    def handle(self, *args: Any, folder: Path, jobs: int, json: bool, no_run: bool, **options: Any) -> None:
        if not (folder / COURSE_FILE).is_file():
            raise CommandError(_("« %(folder)s » ne contient pas de course.yml.") % {"folder": folder}, returncode=2)
        socket = settings.ENVIRONMENT.run_dir / "forkd.sock"
        forkd = socket if Forkd(socket).answers() else None
        console = Console(stderr=True, highlight=False)
        if forkd is None and not no_run:
            console.print(
                _("forkd ne répond pas : le code du parcours s’exécute ici, avec vos droits, sans isolement.")
            )
        with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                      console=console, transient=True, disable=not console.is_terminal) as bar:  # fmt: skip
            task = bar.add_task(_("Lecture"), total=None)

            def show(what: str, done: int, total: int) -> None:
                bar.update(task, description=what, completed=done, total=total)

            report = check_course(
                folder.resolve(), jobs=jobs, forkd=forkd, run=not no_run, node_modules=settings.ENVIRONMENT.node_modules,
                progress=show,
            )  # fmt: skip
        self._print_json(report) if json else self._print(report)
        sys.exit(report.exit_code)

    def _print_json(self, report: Report) -> None:
        self.stdout.write(jsonlib.dumps(report.as_json(), ensure_ascii=False, indent=1))

    def _print(self, report: Report) -> None:
        for finding in report.findings:
            self.stdout.write(str(finding))
        for sentence in report.unchecked:
            self.stdout.write(_("Non vérifié : %(what)s") % {"what": sentence})
        if report.durations_s:
            slowest = max(report.durations_s, key=lambda file: report.durations_s[file])
            text = ngettext("%(count)d carnet exécuté ; le plus long, %(file)s, en %(seconds).1f s.",
                            "%(count)d carnets exécutés ; le plus long, %(file)s, en %(seconds).1f s.", len(report.durations_s))  # fmt: skip
            self.stdout.write(
                text % {"count": len(report.durations_s), "file": slowest, "seconds": report.durations_s[slowest]}
            )
        if report.points:
            self.stdout.write(
                _("%(total)g points : %(auto)g de tests, %(quiz)g de QCM, %(manual)g relus.") % report.points
            )
        count = len(report.findings)
        self.stdout.write(
            ngettext("%(count)d point à reprendre.", "%(count)d points à reprendre.", count) % {"count": count}
            if count
            else _("Rien à reprendre.")
        )
