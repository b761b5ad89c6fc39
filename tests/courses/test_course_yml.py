"""`course.yml` of the real course: what it announces is what its folders hold, and what its rules ask for can be done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hub.portal.catalogue.coursecontent import load_course_and_content
from hub.portal.catalogue.programme import name_capacities
from hub.portal.learning import rule
from hub.portal.learning.models import ModuleProgress


@pytest.fixture(scope="module")
def loaded(course_folder: Path) -> Any:
    """The course and its content: loading checks points, files, codes and pictures."""
    return load_course_and_content(course_folder)


def rows_of(course: Any, share: float, **changes: Any) -> dict[str, ModuleProgress]:
    """A learner who opened everything and has this share of each module's points."""
    from django.utils import timezone

    rows = {}
    for module in course.modules:
        rows[module.slug] = ModuleProgress(
            module=module.slug,
            opened_at=timezone.now(),
            auto_points=module.points.auto * share,
            quiz_points=module.points.quiz * share,
            manual_points=module.points.manual * share,
            attempt_number=1,
            reviewed=bool(module.points.manual),
        )
    for name, value in changes.items():
        slug, field = name.split("__")
        setattr(rows[slug], field, value)
    return rows


def test_it_is_the_folders_course_in_its_own_words(loaded: Any, course_folder: Path) -> None:
    course, content = loaded
    assert course.slug == course_folder.name
    assert (course.license, course.origin) == ("CC BY 4.0", "Autre")
    assert sum(module.minutes for module in course.main_modules) == course.duration.distance_minutes
    folders = {path.parent.name for path in course_folder.glob("*/lecon.ipynb")}
    assert {module.slug for module in course.modules} == folders
    assert all(content.modules[module.slug].lesson for module in course.modules)


def test_six_hours_a_hundred_points_and_five_bonus(loaded: Any) -> None:
    course = loaded[0]
    assert [module.slug for module in course.main_modules] == [f"m{n}" for n in range(10)]
    assert [module.slug for module in course.bonus_modules] == [f"b{n}" for n in range(1, 6)]
    assert course.duration.total_minutes == 360
    kinds = [sum(getattr(m.points, kind) for m in course.main_modules) for kind in ("auto", "quiz", "manual")]
    assert kinds == [76, 16, 8]
    assert course.max_points == 100


def test_three_bonus_modules_passed_make_an_explorer(loaded: Any) -> None:
    course = loaded[0]
    badge = course.badges[1]
    assert (badge.slug, badge.earned_when.modules) == ("explorateur", [m.slug for m in course.bonus_modules])
    missed = {f"{slug}__auto_points": 0.0 for slug in ("b2", "b5")}
    assert rule.rule_holds(course, rows_of(course, 1, **missed), badge.earned_when)
    missed["b3__auto_points"] = 1.0
    remaining = rule.list_remaining(course, rows_of(course, 1, **missed), badge.earned_when)
    assert len(remaining) == 1 and "encore 1 module (tous les exercices" in remaining[0]


def test_capacities_are_said_in_words_and_each_badge_has_its_drawing(loaded: Any) -> None:
    course, content = loaded
    for module in course.modules:
        assert module.capacities or module.slug in ("m0", "m9")
        for capacity in name_capacities(content.programme, module.capacities):
            assert len(capacity.title) > 10 and capacity.where and capacity.source.startswith("BO spécial")
    pictures = [content.images[badge.image] for badge in course.badges]
    assert len(set(pictures)) == len(pictures)


def test_sixty_percent_with_the_review_completes_and_nothing_less(loaded: Any) -> None:
    course = loaded[0]
    assert rule.list_remaining(course, rows_of(course, 0.6)) == []
    assert "Gagnez encore" in " ".join(rule.list_remaining(course, rows_of(course, 0.59)))
    asked = [f"m{n}" for n in range(1, 9) if course.find_module(f"m{n}")]
    for slug in asked:
        weak = rows_of(course, 1, **{f"{slug}__auto_points": course.find_module(slug).points.auto * 0.49})
        assert len(rule.list_remaining(course, weak)) == 1, slug
        unopened = rows_of(course, 1, **{f"{slug}__opened_at": None, f"{slug}__attempt_number": 0})
        assert len(rule.list_remaining(course, unopened)) == 1, slug
    assert "relire" in " ".join(rule.list_remaining(course, rows_of(course, 1, m9__reviewed=False)))


def test_no_bonus_is_asked_for(loaded: Any) -> None:
    course = loaded[0]
    rows = rows_of(course, 1)
    for module in course.bonus_modules:
        del rows[module.slug]
    assert rule.rule_holds(course, rows)


def test_criteria_say_what_the_rules_are(loaded: Any) -> None:
    course = loaded[0]
    first = course.badges[0]
    assert first.earned_when is None
    assert re.search(rf"{course.completion.percent:g} des {course.max_points:g} points", first.criteria)
    assert course.completion.reviewed == ["m9"] and "relue par un correcteur" in first.criteria
