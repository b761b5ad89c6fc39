"""`pupitre rebuildprogress`: make the cached progress again from marks and quiz answers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from hub.portal.learning import progress
from hub.portal.learning.models import Enrolment


class Command(BaseCommand):
    help = "Recalcule la progression de tous les participants (ou d’une session)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--session", help="une seule session : son adresse courte")

    def handle(self, *args: Any, session: str | None = None, **options: Any) -> None:
        enrolments = Enrolment.objects.order_by("pk")
        if session is not None:
            enrolments = enrolments.filter(session__slug=session)
        total = changed = 0
        for enrolment in enrolments.iterator():
            before = (enrolment.points, enrolment.max_points, enrolment.percent, enrolment.rule_holds)
            after = progress.rebuild(enrolment)
            total += 1
            changed += before != (after.points, after.max_points, after.percent, after.rule_holds)
        self.stdout.write(
            _("%(total)d inscription(s) recalculée(s), %(changed)d corrigée(s).") % {"total": total, "changed": changed}
        )
