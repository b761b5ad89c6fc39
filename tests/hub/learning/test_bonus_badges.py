"""Bonus modules, badges with a criterion of their own, files after the hand-in, capacities in words, in a published course."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from badges.models import Award
from hub.portal.catalogue.publish import publish_course
from hub.portal.learning import progress, rule
from hub.portal.learning.delivery import module_files, open_blob
from hub.portal.learning.enrolling import EnrolmentRefused, withdraw
from hub.portal.learning.models import Completion, EarnedBadge, Enrolment
from tests.hub.learning.test_course_file import edit, line_of, refusal

pytestmark = pytest.mark.django_db

PROGRAMME = """programme: "2019"
title: Programmes d’essai
capacities:
  - { code: MA2-variables, title: Ranger une valeur sous un nom, subject: mathématiques, level: seconde, source: BO d’essai, seen: true }
  - { code: PC2-9, title: Mesurer une chute, subject: physique-chimie, level: seconde, source: BO d’essai, seen: false }
"""
BONUS = """  - slug: b1
    title: Pour aller plus loin
    minutes: 15
    assignment: b1/exercices.ipynb
    bonus: true
    points: { auto: 4, quiz: 0, manual: 0 }
    capacities: [ PC2-9 ]
completion:"""
BADGE = """badges:
  - slug: explorateur
    title: Explorateur
    description: Va plus loin.
    criteria: Réussir la moitié d’un module bonus.
    image: badge.svg
    earned_when:
      modules: [ b1 ]
      at_least: 1
      each_module: { opened: true, auto_percent: 50 }"""
SECRET = "# Copie annotée\n\nVoici ce qu’un correcteur attend : `print(1)` **et** <script>alert(1)</script>.\n"


@pytest.fixture
def rich_folder(course_folder: Path) -> Path:
    """The tiny course with everything that this file is about."""
    shutil.copytree(course_folder / "m1", course_folder / "b1")
    (course_folder / "programme.yml").write_text(PROGRAMME, encoding="utf-8")
    (course_folder / "m2" / "copies").mkdir()
    (course_folder / "m2" / "copies" / "copie-forte.md").write_text(SECRET, encoding="utf-8")
    (course_folder / "m2" / "copies" / "mesures.csv").write_text("t;x\n", encoding="utf-8")
    edit(course_folder, "image: badge.svg\n", "image: badge.svg\nprogramme: programme.yml\n")
    edit(course_folder, "completion:", BONUS)
    edit(course_folder, "badges:", BADGE)
    manual = "    points: { auto: 2, quiz: 0, manual: 2 }"
    edit(course_folder, manual, f"    files_after_submission: [ m2/copies ]\n{manual}")
    return course_folder


@pytest.fixture
def petit(rich_folder: Path, db: None) -> Any:
    """In place of the tiny course: the cast's sessions use this one."""
    return publish_course(rich_folder)


@pytest.fixture
def enrolment(alice: Any, essai: Any, enrolment_of: Any) -> Enrolment:
    found: Enrolment = enrolment_of(alice, essai)
    return found


@pytest.fixture
def run_earned(run_queued: Callable[[str], int]) -> Callable[[], int]:
    """The deliveries that wait of badges with their own criterion."""
    return lambda: run_queued("deliver_earned_badge")


# --- the course file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "marker", "words"),
    [
        ("capacities: [ PC2-9 ]", "capacities: [ PC2-8 ]", "modules[3].capacities[1]", "PC2-8", "n’est pas un code"),
        ("modules: [ b1 ]", "modules: [ b7 ]", "badges[1].earned_when.modules[1]", "b7", "pas un module"),
        ("at_least: 1", "at_least: 2", "badges[1].earned_when.at_least", "at_least: 2", "pas autant"),
        (
            "each_module: { opened: true, auto_percent: 50 }\n  - slug: parcours",
            "each_module: {}\n  - slug: parcours",
            "badges[1].earned_when",
            "earned_when",
            "sans rien faire",
        ),
        ("m2/copies", "m2/absentes", "modules[2].files_after_submission[1]", "absentes", "n’existe pas"),
        ("[ m2/copies ]", "[ m2/exercices.ipynb ]", "modules[2].files_after_submission[1]", "after", "s’appelleraient"),
        ("bonus: true", "bonus: oui", "modules[3].bonus", "oui", "true ou false"),
    ],
)
def test_what_is_wrong_is_named(rich_folder: Path, old: str, new: str, key: str, marker: str, words: str) -> None:
    edit(rich_folder, old, new)
    error = refusal(rich_folder)
    assert (error.key, error.line) == (key, line_of(rich_folder, marker)), str(error)
    assert words in str(error)


def test_a_code_twice_in_the_table_is_refused(rich_folder: Path) -> None:
    edit(rich_folder, "code: PC2-9", "code: MA2-variables", file="programme.yml")
    error = refusal(rich_folder)
    assert (error.file, error.key, error.line) == ("programme.yml", "capacities[2].code", 5)


def test_files_after_the_hand_in_need_something_to_hand_in(rich_folder: Path) -> None:
    edit(rich_folder, "    assignment: m2/exercices.ipynb\n", "    lesson: m1/lecon.ipynb\n")
    edit(rich_folder, "    points: { auto: 2, quiz: 0, manual: 2 }\n", "")
    assert "pas de carnet à déposer" in str(refusal(rich_folder))


# --- bonus ------------------------------------------------------------------------------------------------------------


def test_a_bonus_module_counts_in_no_points(petit: Any, enrolment: Any, alice: Any, make_attempt: Any) -> None:
    assert petit.file.max_points == 10
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    enrolment.refresh_from_db()
    assert (enrolment.points, enrolment.max_points, enrolment.percent) == (0, 10, 0)
    assert enrolment.modules.get(module="b1").auto_points == 4
    before = [(row.module, row.points) for row in enrolment.modules.order_by("module")]
    progress.rebuild(enrolment)
    enrolment.refresh_from_db()
    assert enrolment.points == 0
    rows = {row.module: row.points for row in enrolment.modules.all()}
    assert all(rows[module] == points for module, points in before)


def test_completion_does_not_ask_for_the_bonus(petit: Any) -> None:
    assert "Pour aller plus loin" not in " ".join(rule.list_remaining(petit.file, {}))


def test_pages_show_the_bonus_apart_and_never_as_the_next_step(
    alice: Any, petit: Any, essai: Any, signed_in: Any
) -> None:
    page = signed_in(alice).get("/session/essai/").content.decode()
    main, _heading, apart = page.partition("<h2>Pour aller plus loin</h2>")
    assert "/module/m2/" in main and "/module/b1/" not in main and "/module/b1/" in apart
    assert re.search(r'data-number="B1" data-state="todo"', apart)
    course = signed_in(alice).get("/parcours/petit/").content.decode()
    assert course.index("<h2>Pour aller plus loin</h2>") < course.index(">Pour aller plus loin</h3>")
    module = signed_in(alice).get("/session/essai/module/b1/").content.decode()
    assert "B1 · Bonus 1 sur 1" in module
    mine = signed_in(alice).get("/mes-parcours/").content.decode()
    assert re.search(r"0 modules? faits? sur 2", mine)


def test_the_follow_up_counts_the_courses_modules_only(alice: Any, enrolment: Any, denis: Any, signed_in: Any) -> None:
    for module in ("m1", "m2", "b1"):
        progress.mark_opened(enrolment, module, lesson=False)
    page = signed_in(denis).get("/gestion/sessions/essai/").content.decode()
    assert re.search(r">2 / 2<", page) and "3 / 2" not in page


# --- badges with their own criterion ----------------------------------------------------------------------------------


def test_the_badge_is_given_once_without_the_course_being_complete(
    alice: Any, enrolment: Any, make_attempt: Any, run_earned: Any, run_deliveries: Any
) -> None:
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 0, "ex-1-2-test": 1})
    assert not EarnedBadge.objects.exists() and run_earned() == 0
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3})
    assert run_earned() == 1 and run_deliveries() == 0
    award = Award.objects.get()
    assert award.achievement_key == "petit/explorateur"
    assert [(result.module, result.points, result.max_points) for result in award.module_results] == [("b1", 3, 4)]
    assert EarnedBadge.objects.get().awarded_at is not None
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    progress.rebuild(enrolment)
    call_command("awardbadges", stdout=StringIO())
    assert run_earned() == 0
    assert (Award.objects.count(), Completion.objects.count()) == (1, 0)


def test_the_courses_badge_does_not_bring_the_other(
    alice: Any, enrolment: Any, petit: Any, run_deliveries: Any, run_earned: Any
) -> None:
    completion = Completion.objects.create(enrolment=enrolment)
    from hub.portal.learning import awarding

    awarding.deliver(completion)
    assert [award.achievement_key for award in Award.objects.all()] == ["petit/parcours"]
    assert [result.module for result in Award.objects.get().module_results] == ["m1", "m2"]


def test_what_could_not_be_delivered_is_tried_again(
    alice: Any, enrolment: Any, make_attempt: Any, run_earned: Any
) -> None:
    from django_tasks_db.models import DBTaskResult

    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3})
    DBTaskResult.objects.all().delete()  # the worker was killed with the task in its hands
    progress.rebuild(enrolment)
    assert run_earned() == 0  # it may still be at work
    EarnedBadge.objects.update(earned_at=timezone.now() - timedelta(minutes=2))
    progress.rebuild(enrolment)
    assert run_earned() == 1
    assert Award.objects.count() == 1


def test_awardbadges_delivers_it_too(alice: Any, enrolment: Any, make_attempt: Any) -> None:
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3})
    out = StringIO()
    call_command("awardbadges", stdout=out)
    assert Award.objects.get().achievement_key == "petit/explorateur"
    assert EarnedBadge.objects.get().awarded_at is not None


def test_the_page_says_what_remains_then_that_it_is_there(
    alice: Any, enrolment: Any, make_attempt: Any, run_earned: Any, signed_in: Any
) -> None:
    page = signed_in(alice).get("/session/essai/").content.decode()
    assert "Badge « Explorateur »" in page
    assert "Réussissez encore 1 module (au moins 50 % de son carnet) parmi : « Pour aller plus loin »." in page
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3})
    assert "Votre badge est en préparation." in signed_in(alice).get("/session/essai/").content.decode()
    run_earned()
    assert "Voir mes badges" in signed_in(alice).get("/session/essai/").content.decode()
    assert Award.objects.get().get_absolute_url() in signed_in(alice).get("/mes-parcours/").content.decode()


def test_who_has_a_badge_stays_enrolled(alice: Any, enrolment: Any, make_attempt: Any) -> None:
    make_attempt(alice, "essai", "b1", {"ex-1-1-test": 3})
    with pytest.raises(EnrolmentRefused) as refused:
        withdraw(enrolment)
    assert refused.value.code == "badge-earned"
    assert Enrolment.objects.filter(pk=enrolment.pk).exists()


# --- files after the hand-in -------------------------------------------------------------------------------------------


def _digest_of_the_copy(claire: Any) -> str:
    found = module_files("essai", "m2", claire)
    assert found is not None
    return next(file.sha256 for file in found.files if file.path == "copies/copie-forte.md")


def test_nobody_gets_them_before_the_hand_in(
    alice: Any, claire: Any, chevron: Any, make_attempt: Any, signed_in: Any
) -> None:
    digest = _digest_of_the_copy(claire)
    for person in (None, alice, chevron):
        found = module_files("essai", "m2", person)
        assert found is not None and [file.path for file in found.files] == ["exercices.ipynb"]
        assert open_blob("essai", "m2", digest, person) is None
    address = "/session/essai/module/m2/apres-depot/copies/copie-forte.md"
    assert signed_in(alice).get(address).status_code == 404
    page = signed_in(alice).get("/session/essai/module/m2/").content.decode()
    assert "s’ouvrent quand vous avez soumis" in page and "copie-forte" not in page
    make_attempt(alice, "essai", "m1", {})
    make_attempt(alice, "essai", "m2", {}, state="refused")
    assert signed_in(alice).get(address).status_code == 404, "another module's attempt, or a refused one, opens nothing"


def test_the_hand_in_opens_them_for_who_handed_in(
    alice: Any, claire: Any, chevron: Any, bob: Any, make_attempt: Any, signed_in: Any, visitor: Any
) -> None:
    make_attempt(alice, "essai", "m2", {}, state="queued")
    found = module_files("essai", "m2", alice)
    assert found is not None
    assert [file.path for file in found.files] == ["copies/copie-forte.md", "copies/mesures.csv", "exercices.ipynb"]
    assert open_blob("essai", "m2", _digest_of_the_copy(claire), alice) == SECRET.encode()
    assert open_blob("essai", "m2", _digest_of_the_copy(claire), chevron) is None
    page = signed_in(alice).get("/session/essai/module/m2/").content.decode()
    address = "/session/essai/module/m2/apres-depot/copies/copie-forte.md"
    assert f'href="{address}">Copie forte</a>' in page
    shown = signed_in(alice).get(address)
    text = shown.content.decode()
    assert "<h1>Copie forte</h1>" in text and "<h2>Copie annotée</h2>" in text
    assert "<script>alert(1)" not in text
    table = signed_in(alice).get(address.replace("copie-forte.md", "mesures.csv"))
    assert table["Content-Disposition"] == 'attachment; filename="mesures.csv"'
    assert signed_in(claire).get(address).status_code == 200, "graders mark with them"
    assert signed_in(chevron).get(address).status_code == 404
    assert signed_in(bob).get(address).status_code == 403
    assert visitor.get(address).status_code == 302


def test_they_are_no_part_of_the_assignment(essai: Any, claire: Any) -> None:
    from graders.models import Assignment

    current = Assignment.objects.get(session="essai", name="m2").current
    assert current is not None
    assert list(current.release) == ["exercices.ipynb"]


# --- capacities in words -----------------------------------------------------------------------------------------------


def test_pages_say_capacities_in_words(alice: Any, essai: Any, signed_in: Any, visitor: Any) -> None:
    course = visitor.get("/parcours/petit/").content.decode()
    assert "Ranger une valeur sous un nom" in course and "MA2-variables" not in course
    assert "libellé à confirmer" in course
    assert "Ranger une valeur sous un nom" in signed_in(alice).get("/session/essai/module/m1/").content.decode()
    found = visitor.get("/", {"q": "mesurer chute"}).content.decode()
    assert "/parcours/petit/" in found


def test_a_course_without_a_table_shows_its_own_words(course_folder: Path, visitor: Any, db: None) -> None:
    edit(course_folder, "capacities: [ MA2-variables ]", "capacities: [ Compter jusqu’à dix ]")
    publish_course(course_folder)
    assert "Compter jusqu’à dix" in visitor.get("/parcours/petit/").content.decode()
