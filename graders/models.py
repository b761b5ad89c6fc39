"""Assignments, attempts and their marks: the one truth for marks.

Laws: an attempt is immutable but for its marking, and pinned to the version of the assignment it answers;
a session is named by its slug (nothing here knows `hub`); a mark is never overwritten without a line in `Review`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Assignment(models.Model):
    """One nbgrader assignment of one session."""

    session = models.SlugField(_("session"), max_length=63)
    name = models.CharField(_("nom"), max_length=128)
    current = models.ForeignKey(
        "AssignmentVersion",
        verbose_name=_("version en cours"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    withdrawn_at = models.DateTimeField(_("retiré le"), null=True, blank=True)

    if TYPE_CHECKING:
        versions: RelatedManager[AssignmentVersion]
        attempts: RelatedManager[Attempt]

    class Meta:
        verbose_name = _("carnet d’exercices")
        verbose_name_plural = _("carnets d’exercices")
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "name"], name="one_assignment_per_name")]

    def __str__(self) -> str:
        return f"{self.session}/{self.name}"

    @property
    def title(self) -> str:
        return self.current.title if self.current and self.current.title else self.name

    @property
    def version(self) -> str:
        return self.current.version if self.current else ""

    @property
    def released_at(self) -> object:
        return self.current.released_at if self.current else None


class AssignmentVersion(models.Model):
    """What was released under one assignment's name at one time; kept as long as an attempt answers it."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(_("version"), max_length=64)
    title = models.CharField(_("titre"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    release = models.JSONField(editable=False)
    """Learners' copy: path → sha256."""
    source = models.JSONField(editable=False)
    """With solutions and hidden tests: path → sha256. Never leaves the portal but for trainers."""
    cells = models.JSONField(editable=False)
    """[{notebook, grade_id, kind, exercise, max_points}], in the notebooks' order."""
    max_points = models.FloatField(_("points"))
    released_at = models.DateTimeField(_("publié le"), auto_now_add=True)

    class Meta:
        verbose_name = _("version d’un carnet")
        verbose_name_plural = _("versions de carnets")
        constraints: ClassVar = [models.UniqueConstraint(fields=["assignment", "digest"], name="one_row_per_content")]

    def __str__(self) -> str:
        return f"{self.assignment} {self.version}"

    @property
    def notebooks(self) -> list[str]:
        """Paths of the notebooks a learner answers."""
        return [path for path in self.release if path.endswith(".ipynb")]


class AttemptState(models.TextChoices):
    QUEUED = "queued", _("en attente")
    RUNNING = "running", _("en cours de correction")
    MARKED = "marked", _("corrigé")
    REFUSED = "refused", _("refusé")
    FAILED = "failed", _("correction impossible")


class Attempt(models.Model):
    """One submission of one assignment, with its marking."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="attempts")
    version = models.ForeignKey(AssignmentVersion, on_delete=models.PROTECT, related_name="attempts")
    learner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("participant"), on_delete=models.CASCADE, related_name="attempts"
    )
    number = models.PositiveIntegerField(_("numéro"))
    client_id = models.UUIDField(_("identifiant"))
    content = models.JSONField(editable=False)
    """What was sent: path → sha256."""
    received_at = models.DateTimeField(_("reçu le"), auto_now_add=True)

    state = models.CharField(_("état"), max_length=8, choices=AttemptState.choices, default=AttemptState.QUEUED)
    task_id = models.CharField(max_length=64, blank=True, editable=False)
    """The queue's task that is to mark it, or marks it."""
    claim = models.CharField(max_length=64, blank=True, editable=False)
    """Drawn at random by the run that is marking it: only that run may store marks."""
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    runs = models.PositiveSmallIntegerField(_("passages"), default=0)

    code = models.CharField(_("code"), max_length=32, blank=True)
    message = models.TextField(_("message"), blank=True)
    """French, for the learner."""
    marked_at = models.DateTimeField(_("corrigé le"), null=True)
    duration_s = models.FloatField(_("durée de la correction (s)"), null=True)
    executed = models.JSONField(default=dict, editable=False)
    """Notebooks as executed by the marking, for graders: path → sha256."""
    repairs = models.JSONField(default=list, editable=False)
    feedback = models.JSONField(default=dict, editable=False)
    """Pages released by nbgrader's release_feedback: path → sha256."""
    announce_after = models.DateTimeField(null=True, editable=False)
    """Set with each change of a mark, cleared when every listener has heard of it; past this time the reaper tells again."""
    review_number = models.PositiveIntegerField(_("relectures"), default=0)
    """Grows at each saved review: two graders who saw the same number cannot both save."""

    if TYPE_CHECKING:
        cells: RelatedManager[CellMark]
        reviews: RelatedManager[Review]

    class Meta:
        verbose_name = _("essai")
        verbose_name_plural = _("essais")
        ordering: ClassVar = ["assignment", "learner", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment", "learner", "client_id"], name="one_attempt_per_client_id"),
            models.UniqueConstraint(fields=["assignment", "learner", "number"], name="one_attempt_per_number"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "heartbeat_at"], name="attempt_state")]

    def __str__(self) -> str:
        return f"{self.assignment} n° {self.number}"

    @property
    def points(self) -> float | None:
        """Points so far, manual marks included; None as long as it is not marked."""
        if self.state != AttemptState.MARKED:
            return None
        return sum(cell.given_points for cell in self.cells.all())

    @property
    def max_points(self) -> float:
        return self.version.max_points

    @property
    def waits_for_grader(self) -> bool:
        return any(cell.waits_for_grader for cell in self.cells.all())


class CellMark(models.Model):
    """The mark of one graded cell of one attempt."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="cells")
    notebook = models.CharField(max_length=255)
    grade_id = models.CharField(max_length=255)
    position = models.PositiveIntegerField(default=0)
    exercise = models.CharField(_("exercice"), max_length=64, blank=True)
    kind = models.CharField(_("sorte"), max_length=6, choices=[("auto", _("automatique")), ("manual", _("manuelle"))])
    points = models.FloatField(_("points"), null=True)
    """Given by the machine; null where a grader is awaited."""
    max_points = models.FloatField(_("points possibles"))
    passed = models.BooleanField(_("réussi"), default=False)
    message = models.TextField(blank=True)
    code = models.CharField(max_length=32, blank=True)
    hidden = models.BooleanField(default=False)
    answer_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    """Of a manual answer: the same answer sent again keeps its review."""
    manual_points = models.FloatField(_("points du correcteur"), null=True, blank=True)
    comment = models.TextField(_("commentaire"), blank=True)

    class Meta:
        verbose_name = _("note d’une cellule")
        verbose_name_plural = _("notes des cellules")
        ordering: ClassVar = ["attempt", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "notebook", "grade_id"], name="one_mark_per_cell")
        ]

    def __str__(self) -> str:
        return f"{self.attempt} {self.grade_id}"

    @property
    def given_points(self) -> float:
        """What counts now: the grader's points, else the machine's, else nothing yet."""
        if self.manual_points is not None:
            return self.manual_points
        return self.points or 0.0

    @property
    def waits_for_grader(self) -> bool:
        return self.kind == "manual" and self.points is None and self.manual_points is None


class Review(models.Model):
    """One saved pass of a grader over an attempt: the history of its manual marks."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="reviews")
    grader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("correcteur"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="reviews",
    )
    number = models.PositiveIntegerField(_("numéro"))
    saved_at = models.DateTimeField(_("enregistrée le"), auto_now_add=True)
    origin = models.CharField(_("origine"), max_length=16, default="portal")
    """"portal", "formgrader", or "carried" (an unchanged answer kept its review)."""
    changes = models.JSONField(editable=False)
    """[{notebook, grade_id, points: [before, after], comment: [before, after]}]"""

    class Meta:
        verbose_name = _("relecture")
        verbose_name_plural = _("relectures")
        ordering: ClassVar = ["attempt", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "number"], name="one_review_per_number")]

    def __str__(self) -> str:
        return f"{self.attempt}, relecture {self.number}"
