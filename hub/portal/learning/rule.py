"""The rules of `course.yml`, of the course's completion and of each badge: whether one holds, and what remains, as
sentences for the learner.

Pure: takes the course and the learner's rows, touches no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.portal.catalogue.coursefile import CourseFile, Module, Rule
from hub.portal.learning.models import ModuleProgress

TOLERANCE = 1e-9
"""Points are sums of decimal fractions: 59.999999999 % is 60 %."""

Rows = Mapping[str, ModuleProgress]


def points_of(course: CourseFile, rows: Rows) -> float:
    """The learner's points that count: a bonus module's do not."""
    return sum(rows[module.slug].points for module in course.main_modules if module.slug in rows)


def points_percent(course: CourseFile, rows: Rows) -> float:
    """Share of the course's points that the learner has, 0 to 100; a course without points has them all."""
    total = course.max_points
    return 100.0 if total <= 0 else min(100.0, 100.0 * points_of(course, rows) / total)


def list_remaining(course: CourseFile, rows: Rows, rule: Rule | None = None) -> list[str]:
    """What is still to be done for the rule, the course's completion if none is given; empty when it holds."""
    rule = course.completion if rule is None else rule
    remaining = _list_modules_to_do(course.modules_of(rule), rows, rule)
    waiting = [module for module in course.modules if module.slug in rule.reviewed and not _is_reviewed(rows, module)]
    if waiting:
        remaining.append(
            _("Faites relire votre travail par un correcteur dans : %(titles)s.") % {"titles": _join(waiting)}
        )
    percent = points_percent(course, rows)
    if percent + TOLERANCE < rule.percent:
        missing = (rule.percent - percent) / 100 * course.max_points
        text = ngettext(
            "Gagnez encore %(missing)s point : il faut %(percent)g %% des %(total)g points du parcours.",
            "Gagnez encore %(missing)s points : il faut %(percent)g %% des %(total)g points du parcours.",
            2 if missing >= 2 else 1,  # in French, 1,5 is singular
        )
        values = {"missing": _points(missing), "percent": rule.percent, "total": course.max_points}
        remaining.append(text % values)
    return remaining


def rule_holds(course: CourseFile, rows: Rows, rule: Rule | None = None) -> bool:
    return not list_remaining(course, rows, rule)


def _list_modules_to_do(modules: list[Module], rows: Rows, rule: Rule) -> list[str]:
    percent = rule.each_module.auto_percent
    unopened = [m for m in modules if rule.each_module.opened and not _is_opened(rows.get(m.slug))]
    weak = [m for m in modules if not _has_auto_share(m, rows, percent)]
    if rule.at_least is not None:
        return _list_some_to_do(modules, [*unopened, *weak], rule.at_least, percent)
    remaining = []
    if unopened:
        remaining.append(
            ngettext("Ouvrez le module : %(titles)s.", "Ouvrez les modules : %(titles)s.", len(unopened))
            % {"titles": _join(unopened)}
        )
    if weak:
        remaining.append(
            _("Obtenez au moins %(percent)g %% des points du carnet dans : %(titles)s.")
            % {"percent": percent, "titles": _join(weak)}
        )
    return remaining


def _list_some_to_do(modules: list[Module], not_done: list[Module], at_least: int, percent: float) -> list[str]:
    todo = [module for module in modules if module in not_done]
    missing = at_least - (len(modules) - len(todo))
    if missing <= 0:
        return []
    values = {"count": missing, "percent": percent, "titles": _join(todo)}
    if not percent:
        text = ngettext(
            "Ouvrez encore %(count)d module parmi : %(titles)s.",
            "Ouvrez encore %(count)d modules parmi : %(titles)s.",
            missing,
        )
    elif percent >= 100:
        text = ngettext(
            "Réussissez encore %(count)d module (tous les exercices de son carnet) parmi : %(titles)s.",
            "Réussissez encore %(count)d modules (tous les exercices de leur carnet) parmi : %(titles)s.",
            missing,
        )
    else:
        text = ngettext(
            "Réussissez encore %(count)d module (au moins %(percent)g %% de son carnet) parmi : %(titles)s.",
            "Réussissez encore %(count)d modules (au moins %(percent)g %% de leur carnet) parmi : %(titles)s.",
            missing,
        )
    return [text % values]


def _is_opened(row: ModuleProgress | None) -> bool:
    """Opened from its page, or worked on: nbgrader's own buttons do not pass by the page."""
    return row is not None and (row.opened_at is not None or row.attempt_number > 0 or row.quiz_takes > 0)


def _has_auto_share(module: Module, rows: Rows, percent: float) -> bool:
    row = rows.get(module.slug)
    earned = row.auto_points if row else 0.0
    return earned + TOLERANCE >= module.points.auto * percent / 100


def _is_reviewed(rows: Rows, module: Module) -> bool:
    """By a person: work left as released is marked 0 by nobody. Handing in again does not undo it."""
    row = rows.get(module.slug)
    return row is not None and row.reviewed


def _join(modules: Iterable[Module]) -> str:
    return ", ".join(_("« %(title)s »") % {"title": module.title} for module in modules)


def _points(value: float) -> str:
    """Rounded up to a tenth: « encore 0 point » would be a lie."""
    tenths = int(-(-(value * 10 - TOLERANCE) // 1))
    return f"{max(tenths, 1) / 10:g}".replace(".", get_format("DECIMAL_SEPARATOR"))
