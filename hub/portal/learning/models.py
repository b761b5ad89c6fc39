"""What a person does in a session: enrolment, modules opened, quiz answers, completion.

Laws: marks belong to `graders` and are only copied here; every column said to be *cached* can be thrown away and is
made again by `progress.rebuild`; dates of opening, quiz answers and completions are truths and are never recomputed.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Enrolment(models.Model):
    """A person in a session, with their progress."""

    session = models.ForeignKey("catalogue.CourseSession", on_delete=models.PROTECT, related_name="enrolments")
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrolments")
    enrolled_at = models.DateTimeField(default=timezone.now, editable=False)
    # Cached (learning/progress.py).
    points = models.FloatField(default=0)
    max_points = models.FloatField(default=0)
    percent = models.FloatField(default=0)
    rule_holds = models.BooleanField(default=False)

    class Meta:
        ordering = ("session", "learner")
        constraints = [models.UniqueConstraint(fields=["session", "learner"], name="one_enrolment_per_person")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.learner_id}"


class ModuleProgress(models.Model):
    """What a person did in one module of the session."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="modules")
    module = models.CharField(max_length=63)
    opened_at = models.DateTimeField(null=True)
    """First time the lesson or the notebook was opened from the module page."""
    read_at = models.DateTimeField(null=True)
    """First time the lesson was opened. A statement, not a proof: no mark depends on it."""
    # Cached (learning/progress.py).
    auto_points = models.FloatField(default=0)
    auto_max = models.FloatField(default=0)
    manual_points = models.FloatField(default=0)
    manual_max = models.FloatField(default=0)
    quiz_points = models.FloatField(default=0)
    quiz_max = models.FloatField(default=0)
    waits_for_grader = models.BooleanField(default=False)
    reviewed = models.BooleanField(default=False)
    """A grader has given points, to this attempt or an earlier one."""
    attempt_number = models.PositiveIntegerField(default=0)
    """Of the attempt that counts; 0: nothing marked yet."""
    quiz_takes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("enrolment", "module")
        constraints = [models.UniqueConstraint(fields=["enrolment", "module"], name="one_row_per_module")]

    def __str__(self) -> str:
        return f"{self.enrolment_id}/{self.module}"

    @property
    def points(self) -> float:
        return self.auto_points + self.manual_points + self.quiz_points

    @property
    def max_points(self) -> float:
        return self.auto_max + self.manual_max + self.quiz_max


class QuizAnswer(models.Model):
    """The choices of a person for one question; every take of the quiz is kept, the best one counts."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="quiz_answers")
    module = models.CharField(max_length=63)
    take = models.PositiveIntegerField()
    """1 for the first time the quiz was answered, 2 for the second…"""
    question = models.CharField(max_length=63)
    choices = models.JSONField()
    """Positions of the ticked choices in `qcm.yml`, from 0."""
    correct = models.BooleanField()
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("enrolment", "module", "take", "id")
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "module", "take", "question"], name="one_answer_per_take")
        ]

    def __str__(self) -> str:
        return f"{self.enrolment_id}/{self.module}/{self.take}/{self.question}"


class SubmissionTicket(models.Model):
    """Leave to submit once, given by « Soumettre »: without it, a link could make a person submit unknowingly."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="tickets")
    module = models.CharField(max_length=63)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.uuid)


class EarnedBadge(models.Model):
    """A badge with a criterion of its own, which held once: kept for ever, as a completion is."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="earned_badges")
    badge = models.CharField(max_length=63)
    """Its slug in `course.yml`."""
    earned_at = models.DateTimeField(default=timezone.now, editable=False)
    awarded_at = models.DateTimeField(null=True)
    """When it had been delivered; None: `pupitre awardbadges` tries again."""

    class Meta:
        ordering = ("-earned_at",)
        constraints = [models.UniqueConstraint(fields=["enrolment", "badge"], name="one_row_per_earned_badge")]

    def __str__(self) -> str:
        return f"{self.enrolment_id}/{self.badge}"


class Completion(models.Model):
    """The course's rule held once: kept for ever, whatever the marks become."""

    enrolment = models.OneToOneField(Enrolment, on_delete=models.PROTECT, related_name="completion")
    completed_at = models.DateTimeField(default=timezone.now, editable=False)
    awarded_at = models.DateTimeField(null=True)
    """When every badge that it gives had been delivered; None: `pupitre awardbadges` tries again."""
    lapsed_at = models.DateTimeField(null=True)
    """Since when the rule no longer holds (a mark went down); the badge stays and the managers are told."""

    class Meta:
        ordering = ("-completed_at",)

    def __str__(self) -> str:
        return str(self.enrolment_id)


class AttendanceSheet(models.Model):
    """What a trainer says of a session as a whole: there is one once presences were first saved."""

    session = models.OneToOneField("catalogue.CourseSession", on_delete=models.CASCADE, related_name="attendance_sheet")
    comment = models.TextField(blank=True)
    saved_at = models.DateTimeField(default=timezone.now)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("session",)

    def __str__(self) -> str:
        return str(self.session_id)


class Attendance(models.Model):
    """A trainer's word on whether one person took part; no row: nothing was said."""

    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="attendance")
    present = models.BooleanField()
    said_at = models.DateTimeField(default=timezone.now)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("enrolment",)

    def __str__(self) -> str:
        return str(self.enrolment_id)
