"""`qcm.yml` as typed objects (docs/reference/course-file.md): questions with their keys, and the routes a diagnostic proposes.

Laws: it holds the keys, so it never leaves the server before an answer; a question without a right choice asks for an
opinion and exists only in a quiz without points; a route names questions, choices and modules that exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from hub.portal.catalogue.coursefile import Line, Percent, Points, Slug, Strict, Text, error_at, read_file
from hub.portal.catalogue.yamlsource import KeyPath, YamlSource

Count = Annotated[int, Field(ge=0, le=100)]


class _Compact(Strict):
    """Optional keys that are not used are not written: what was published before they existed keeps its digest."""

    @model_serializer(mode="wrap")
    def _drop_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        unused = {name for name in ("id", "routes") if getattr(self, name, None) in ("", [])}
        return {key: value for key, value in handler(self).items() if key not in unused}


class Choice(_Compact):
    text: Text
    id: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?$")] = ""
    """Only needed by routes."""
    correct: bool = False
    feedback: Annotated[str, Field(max_length=5000)] = ""
    code: Annotated[str, Field(pattern=r"^(E\d{1,3})?$")] = ""


class Question(Strict):
    id: Slug
    text: Text
    choices: Annotated[list[Choice], Field(min_length=2, max_length=20)]

    @property
    def key(self) -> list[int]:
        """Positions of the right choices; none for an opinion."""
        return [position for position, choice in enumerate(self.choices) if choice.correct]

    @property
    def is_multiple(self) -> bool:
        return len(self.key) > 1

    @property
    def is_opinion(self) -> bool:
        return not self.key


class RouteCondition(Strict):
    """All that is given must hold."""

    min_right: Count | None = None
    max_right: Count | None = None
    """Number of right answers, among the questions that have a right choice."""
    chosen: dict[Slug, Annotated[list[Slug], Field(min_length=1)]] = {}
    """Question → choices, of which one was ticked."""


class Route(Strict):
    """A way through the course, proposed after the answers."""

    title: Line
    text: Text
    modules: list[Slug] = []
    when: RouteCondition = RouteCondition()


class Quiz(_Compact):
    """All of `qcm.yml`."""

    points: Points
    pass_percent: Annotated[Percent, Field(alias="pass")] = 100
    """From this share of right answers on, the page says that the quiz is passed; points stay in proportion."""
    questions: Annotated[list[Question], Field(min_length=1, max_length=100)]
    routes: Annotated[list[Route], Field(max_length=50)] = []

    def find_routes(self, ticked: Mapping[str, Sequence[int]]) -> list[Route]:
        """The routes whose condition holds for these answers, in the order of the file."""
        right = sum(list(ticked.get(question.id, ())) == question.key for question in self.questions if question.key)
        return [route for route in self.routes if self._holds(route.when, ticked, right)]

    def _holds(self, when: RouteCondition, ticked: Mapping[str, Sequence[int]], right: int) -> bool:
        if not (when.min_right or 0) <= right <= (len(self.questions) if when.max_right is None else when.max_right):
            return False
        for question in self.questions:
            wanted = when.chosen.get(question.id)
            if wanted and not any(question.choices[position].id in wanted for position in ticked.get(question.id, ())):
                return False
        return True


def load_quiz(folder: Path, name: str, modules: Collection[str]) -> Quiz:
    """Read and validate one `qcm.yml` of the course folder, whose modules are these."""
    source, quiz = read_file(folder, name, Quiz)
    ids = [question.id for question in quiz.questions]
    _refuse_twice(name, source, ("questions",), ids)
    for position, question in enumerate(quiz.questions):
        if question.is_opinion and quiz.points:
            message = _("une question a au moins un choix juste (correct: true), sauf dans un QCM sans points")
            raise error_at(name, source, ("questions", position), message)
        _refuse_twice(name, source, ("questions", position, "choices"), [choice.id for choice in question.choices])
    for position, route in enumerate(quiz.routes):
        _check_route(name, source, ("routes", position), quiz, route, modules)
    return quiz


def _check_route(
    name: str, source: YamlSource, key: KeyPath, quiz: Quiz, route: Route, modules: Collection[str]
) -> None:
    for place, slug in enumerate(route.modules):
        if slug not in modules:
            message = _("« %(slug)s » n’est pas un module du parcours") % {"slug": slug}
            raise error_at(name, source, (*key, "modules", place), message)
    known = {question.id: {choice.id for choice in question.choices} for question in quiz.questions}
    for question_id, choices in route.when.chosen.items():
        where = (*key, "when", "chosen", question_id)
        if question_id not in known:
            raise error_at(name, source, where, _("« %(id)s » n’est pas une question") % {"id": question_id})
        for choice_id in choices:
            if choice_id not in known[question_id]:
                message = _("« %(id)s » n’est pas l’identifiant (id) d’un choix de cette question") % {"id": choice_id}
                raise error_at(name, source, where, message)


def _refuse_twice(name: str, source: YamlSource, key: KeyPath, ids: Sequence[str]) -> None:
    for value, count in Counter(ids).items():
        if value and count > 1:
            position = len(ids) - 1 - list(reversed(ids)).index(value)
            raise error_at(name, source, (*key, position, "id"), _("« %(slug)s » sert deux fois") % {"slug": value})
