from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GradersConfig(AppConfig):
    name = "graders"
    verbose_name = _("Exercices et relecture")

    def ready(self) -> None:
        from graders.signals import assignment_released, mark_changed

        # weak=False: nothing else holds these functions.
        mark_changed.connect(_queue_learner, dispatch_uid="graders.projection", weak=False)
        assignment_released.connect(_queue_assignment, dispatch_uid="graders.projection", weak=False)


def _queue_learner(*, learner_id: int, session: str, assignment: str, **_kwargs: Any) -> None:
    from graders.tasks import project_learner

    project_learner.enqueue(session, assignment, learner_id)


def _queue_assignment(*, session: str, assignment: str, **_kwargs: Any) -> None:
    from graders.tasks import project_assignment

    project_assignment.enqueue(session, assignment)
