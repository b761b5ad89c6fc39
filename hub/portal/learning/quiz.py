"""Quizzes: the only reader of keys.

Laws: a question is right when exactly its right choices are ticked, and an opinion always; a take answers every question
and is kept for ever; the best take counts; what a page shows before an answer (`questions_without_keys`) holds no key and
no feedback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from hub.portal.catalogue.models import CourseVersion
from hub.portal.catalogue.quizfile import Question, Quiz, Route
from hub.portal.learning.models import Enrolment, QuizAnswer


class QuizRefused(Exception):
    """Answers that cannot be kept; `message` is for the learner. Nothing was changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class ShownChoice:
    position: int
    text: str
    ticked: bool = False
    feedback: str = ""


@dataclass(frozen=True)
class ShownQuestion:
    """A question as a page may show it; `correct` is None before an answer, and for an opinion."""

    id: str
    text: str
    is_multiple: bool
    choices: Sequence[ShownChoice]
    correct: bool | None = None


@dataclass(frozen=True)
class Take:
    """One take of a quiz, marked."""

    number: int
    points: float
    max_points: float
    passed: bool
    questions: Sequence[ShownQuestion]
    routes: Sequence[Route] = ()
    """What the answers lead to, when the quiz is a diagnostic."""


def find_quiz(version: CourseVersion, module: str) -> Quiz | None:
    content = version.quizzes.get(module)
    return Quiz.model_validate(content) if content else None


def questions_without_keys(quiz: Quiz, ticked: Mapping[str, Sequence[int]] | None = None) -> list[ShownQuestion]:
    """The questions for somebody who has not answered (or whose answers were refused: `ticked` keeps them)."""
    return [
        ShownQuestion(
            id=question.id,
            text=question.text,
            is_multiple=question.is_multiple,
            choices=[
                ShownChoice(position, choice.text, position in (ticked or {}).get(question.id, ()))
                for position, choice in enumerate(question.choices)
            ],
        )
        for question in quiz.questions
    ]


def answer_quiz(enrolment: Enrolment, module: str, quiz: Quiz, choices: Mapping[str, Sequence[int]]) -> int:
    """Keep one take and return its number.

    Raises
    ------
    QuizRefused
        A question has no answer, or a choice that does not exist. Nothing is kept.
    """
    answers = {question.id: _check_choices(question, choices.get(question.id, ())) for question in quiz.questions}
    if not all(answers.values()):
        raise QuizRefused("unanswered", _("Répondez à toutes les questions, puis validez à nouveau."))
    with transaction.atomic():
        # The lock gives two takes sent at once two numbers.
        enrolment = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        last = enrolment.quiz_answers.filter(module=module).aggregate(last=Max("take"))["last"] or 0
        QuizAnswer.objects.bulk_create(
            QuizAnswer(
                enrolment=enrolment,
                module=module,
                take=last + 1,
                question=question.id,
                choices=answers[question.id],
                correct=question.is_opinion or answers[question.id] == question.key,
            )
            for question in quiz.questions
        )
    return last + 1


def _check_choices(question: Question, choices: Sequence[int]) -> list[int]:
    wanted = sorted(set(choices))
    if any(not 0 <= position < len(question.choices) for position in wanted):
        raise QuizRefused("unknown-choice", _("Cette réponse n’existe pas dans la question. Rechargez la page."))
    if len(wanted) > 1 and not question.is_multiple:
        raise QuizRefused("too-many-choices", _("Une seule réponse est possible à cette question."))
    return wanted


def find_take(enrolment: Enrolment, module: str, quiz: Quiz, number: int) -> Take | None:
    """A take with the feedback of the choices that were ticked: right choices left unticked are not told."""
    rows = {row.question: row for row in enrolment.quiz_answers.filter(module=module, take=number)}
    if not rows:
        return None
    questions = []
    for question in quiz.questions:
        row = rows.get(question.id)
        ticked = row.choices if row else []
        questions.append(
            ShownQuestion(
                id=question.id,
                text=question.text,
                is_multiple=question.is_multiple,
                correct=row.correct if row and not question.is_opinion else None,
                choices=[
                    ShownChoice(
                        position, choice.text, position in ticked, choice.feedback if position in ticked else ""
                    )
                    for position, choice in enumerate(question.choices)
                ],
            )
        )
    share = sum(row.correct for row in rows.values()) / len(rows)
    routes = quiz.find_routes({row.question: row.choices for row in rows.values()})
    return Take(number, quiz.points * share, quiz.points, 100 * share >= quiz.pass_percent, questions, routes)


def best_shares(enrolment: Enrolment, module: str | None = None) -> dict[str, tuple[float, int]]:
    """By module: the best take's share of right answers (0 to 1), and the number of takes."""
    answers = enrolment.quiz_answers.all() if module is None else enrolment.quiz_answers.filter(module=module)
    takes: dict[tuple[str, int], list[bool]] = {}
    for name, take, correct in answers.values_list("module", "take", "correct"):
        takes.setdefault((name, take), []).append(correct)
    best: dict[str, tuple[float, int]] = {}
    for (name, _take), results in takes.items():
        share, count = best.get(name, (0.0, 0))
        best[name] = (max(share, sum(results) / len(results)), count + 1)
    return best
