"""Progress is a cache: whatever the order of events, the incremental way and `rebuild` end the same (docs/why/progress.md)."""

from __future__ import annotations

import random
from io import StringIO

import pytest
from django.core.management import call_command

from graders.marks import ManualMark, set_manual
from hub.portal.catalogue.coursefile import CompletionRule, EachModule
from hub.portal.learning import progress, quiz, rule
from hub.portal.learning.models import Enrolment, ModuleProgress

pytestmark = pytest.mark.django_db
CACHED = ("auto_points", "auto_max", "manual_points", "manual_max", "quiz_points", "quiz_max", "waits_for_grader")
CACHED += ("attempt_number", "quiz_takes")


@pytest.fixture
def enrolment(essai, make_user):
    from hub.portal.learning.enrolling import enrol

    return enrol(essai, make_user("lea"))


def snapshot(enrolment):
    row = Enrolment.objects.get(pk=enrolment.pk)
    modules = {
        module.module: [getattr(module, name) for name in CACHED]
        for module in ModuleProgress.objects.filter(enrolment=enrolment)
    }
    return (row.points, row.max_points, row.percent, row.rule_holds), modules


@pytest.mark.parametrize("seed", range(6))
def test_incremental_equals_rebuilt(enrolment, essai, claire, make_attempt, django_capture_on_commit_callbacks, seed):
    draw = random.Random(seed)
    content = quiz.find_quiz(essai.course_version, "m1")
    attempts = []

    def attempt():
        module = draw.choice(["m1", "m2"])
        points = {
            "ex-1-1-test": draw.choice([0.0, 1.5, 3.0]),
            "ex-1-2-test": 1.0,
            "ex-2-1-test": draw.choice([0.0, 2.0]),
        }
        attempts.append(make_attempt(enrolment.learner, "essai", module, points))

    def review():
        waiting = [each for each in attempts if each.assignment.name == "m2"]
        if waiting:
            mark = ManualMark("exercices.ipynb", "ex-9-1", draw.choice([0.0, 0.5, 2.0, None]), "")
            with django_capture_on_commit_callbacks(execute=True):
                set_manual(attempt=draw.choice(waiting), grader=claire, marks=[mark], seen_review=None)

    def answer():
        choices = {"somme": [draw.randrange(2)], "pairs": draw.choice([[0], [0, 1], [2]])}
        quiz.answer_quiz(enrolment, "m1", content, choices)
        progress.refresh(enrolment, "m1")

    def open_module():
        progress.mark_opened(enrolment, draw.choice(["m1", "m2"]), lesson=draw.random() < 0.5)

    for _step in range(12):
        draw.choice([attempt, attempt, review, answer, open_module])()
        incremental = snapshot(enrolment)
        progress.rebuild(enrolment)
        assert snapshot(enrolment) == incremental
    assert snapshot(enrolment)[0][0] > 0


def test_rebuild_mends_a_spoilt_cache_and_keeps_the_truths(enrolment, make_attempt):
    make_attempt(enrolment.learner, "essai", "m1", {"ex-1-1-test": 3})
    progress.mark_opened(enrolment, "m1", lesson=True)
    right = snapshot(enrolment)
    opened_at = ModuleProgress.objects.get(enrolment=enrolment, module="m1").opened_at
    ModuleProgress.objects.update(auto_points=99, quiz_takes=7)
    Enrolment.objects.update(points=99, percent=99, rule_holds=True)
    out = StringIO()
    call_command("rebuildprogress", stdout=out)
    assert snapshot(enrolment) == right
    assert "1 inscription(s) recalculée(s), 1 corrigée(s)" in out.getvalue()
    assert ModuleProgress.objects.get(enrolment=enrolment, module="m1").opened_at == opened_at


def test_rebuild_of_one_session_only(enrolment, autre):
    out = StringIO()
    call_command("rebuildprogress", "--session", "autre", stdout=out)
    assert out.getvalue().startswith("0 inscription")


def test_the_mark_of_somebody_who_left_breaks_nothing(enrolment, make_attempt):
    learner = enrolment.learner
    enrolment.delete()
    make_attempt(learner, "essai", "m1", {"ex-1-1-test": 3})
    assert not Enrolment.objects.filter(learner=learner).exists()


def test_a_new_version_recomputes_everybody(enrolment, essai, course_folder, make_attempt):
    from hub.portal.catalogue.publish import publish
    from hub.portal.catalogue.sessions import move_session, publish_assignments

    make_attempt(enrolment.learner, "essai", "m1", {"ex-1-1-test": 3})
    text = (course_folder / "course.yml").read_text().replace('version: "1.0"', 'version: "2.0"')
    start, end = text.index("  - slug: m2"), text.index("completion:")
    text = text[:start] + text[end:].replace("reviewed: [ m2 ]", "reviewed: []")
    (course_folder / "course.yml").write_text(text)
    version = publish(course_folder).version
    move_session(essai, version)
    publish_assignments(essai)
    assert snapshot(enrolment)[0][:3] == (3, 6, 50)


def rows(**values):
    """A learner's rows for m1 (4 auto, 2 quiz) and m2 (2 auto, 2 manual)."""
    from django.utils import timezone

    made = {slug: ModuleProgress(module=slug) for slug in ("m1", "m2")}
    for name, value in values.items():
        slug, field = name.split("_", 1)
        setattr(made[slug], field, timezone.now() if field == "opened_at" else value)
    return made


ALL_DONE = {
    "m1_opened_at": True,
    "m2_opened_at": True,
    "m1_auto_points": 4,
    "m2_auto_points": 2,
    "m2_attempt_number": 1,
    "m2_reviewed": True,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        (
            {"m1_auto_points": 1.99, "m1_quiz_points": 2, "m2_manual_points": 2},
            "50 % des points du carnet dans : « Premier module »",
        ),
        ({"m2_reviewed": False}, "Faites relire"),
        ({"m2_waits_for_grader": True}, None),  # handed in again after the review
        ({"m1_auto_points": 3}, "Gagnez encore 1 point :"),
        ({"m1_auto_points": 2.4}, "Gagnez encore 1,6 point :"),
        ({"m1_auto_points": 4 - 1e-12}, None),
    ],
)
def test_what_remains(petit, change, words):
    remaining = rule.list_remaining(petit.file, rows(**{**ALL_DONE, **change}))
    if words is None:
        assert remaining == []
    else:
        assert len(remaining) == 1 and words in remaining[0]


def test_unopened_modules_are_named(petit):
    done = {name: value for name, value in ALL_DONE.items() if name != "m1_opened_at"}
    assert rule.list_remaining(petit.file, rows(**done)) == ["Ouvrez le module : « Premier module »."]
    worked = rows(**done, m1_attempt_number=1)  # by nbgrader's own button: the page was never used
    assert rule.rule_holds(petit.file, worked)


def test_a_course_without_points_is_completed_by_opening(petit):
    free = [module.model_copy(update={"points": type(module.points)()}) for module in petit.modules]
    completion = CompletionRule(percent=100, each_module=EachModule(opened=True))
    course = petit.file.model_copy(update={"modules": free, "completion": completion})
    assert not rule.rule_holds(course, rows())
    assert rule.rule_holds(course, rows(m1_opened_at=True, m2_opened_at=True))
