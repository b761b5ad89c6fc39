"""Courses as published, and the sessions in which people take them.

Laws: a published version never changes (hub/portal/catalogue/publish.py is the only writer); a session is named
everywhere by its slug, which is also nbgrader's course id; modules are data inside a version, not rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from hub.portal.catalogue.coursefile import CourseFile, Module
    from hub.portal.catalogue.programme import NamedCapacity, Programme

SLUG_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
check_slug = RegexValidator(
    rf"\A{SLUG_PATTERN}\Z",
    _("Une adresse courte ne contient que des minuscules sans accent, des chiffres et des tirets (63 au plus)."),
)


class Course(models.Model):
    """What a trainer writes: one folder, one `course.yml`, versions."""

    slug = models.CharField(max_length=63, unique=True, validators=[check_slug])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("course", args=[self.slug])


class CourseVersion(models.Model):
    """One immutable publication of a course; its learner files lie under `state_dir/courses/<slug>/<version>/`."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    content = models.JSONField()
    """`course.yml` as validated by `coursefile.CourseFile`."""
    quizzes = models.JSONField(default=dict)
    """Module slug to `qcm.yml` as validated by `quizfile.Quiz`. Holds the keys: only learning/quiz.py reads it."""
    programme = models.JSONField(null=True, default=None)
    """The table of capacities as validated by `programme.Programme`; None: the course names none."""
    digest = models.CharField(max_length=64)
    """SHA-256 of everything published: the same version with another digest is refused."""
    published_at = models.DateTimeField(default=timezone.now)
    is_current = models.BooleanField(default=False)
    # Copied from `content`, so that the catalogue searches without reading every course.
    title = models.CharField(max_length=200)
    domain = models.CharField(max_length=100, blank=True)
    duration_minutes = models.PositiveIntegerField(default=0)
    search_text = models.TextField(blank=True)
    """Title, abstract, keywords, domain, capacities in words: lower case, without accents."""

    class Meta:
        ordering = ("course", "-published_at")
        constraints = [
            models.UniqueConstraint(fields=["course", "version"], name="one_row_per_version"),
            models.UniqueConstraint(
                fields=["course"], condition=models.Q(is_current=True), name="one_current_version_per_course"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course_id}@{self.version}"

    @cached_property
    def file(self) -> CourseFile:
        """`content` as typed objects."""
        from hub.portal.catalogue.coursefile import CourseFile  # pydantic is not needed to migrate

        return CourseFile.model_validate(self.content)

    @property
    def modules(self) -> list[Module]:
        return self.file.modules

    def name_capacities(self, module: Module) -> list[NamedCapacity]:
        """What the module trains, in words."""
        from hub.portal.catalogue.programme import name_capacities

        return name_capacities(self._programme, module.capacities)

    @property
    def programme_title(self) -> str:
        """The curriculum of its capacities; empty when the course names none."""
        return self._programme.title if self._programme else ""

    @cached_property
    def _programme(self) -> Programme | None:
        from hub.portal.catalogue.programme import read_programme

        return read_programme(self.programme)


class CourseSession(models.Model):
    """A course opened to people: dates, enrolment mode, trainers."""

    class State(models.TextChoices):
        PREPARATION = "preparation", _("en préparation")
        OPEN = "open", _("ouverte")
        CLOSED = "closed", _("fermée")
        ARCHIVED = "archived", _("archivée")

    class EnrolmentMode(models.TextChoices):
        OPEN = "open", _("libre")
        KEY = "key", _("avec une clé")
        MANAGED = "managed", _("par un gestionnaire")

    slug = models.CharField(_("adresse courte"), max_length=63, unique=True, validators=[check_slug])
    course_version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="sessions")
    title = models.CharField(_("titre"), max_length=200)
    state = models.CharField(_("état"), max_length=12, choices=State.choices, default=State.PREPARATION)
    starts_on = models.DateField(_("premier jour"), null=True, blank=True)
    ends_on = models.DateField(_("dernier jour"), null=True, blank=True)
    enrolment = models.CharField(
        _("inscription"), max_length=8, choices=EnrolmentMode.choices, default=EnrolmentMode.OPEN
    )
    key = models.CharField(_("clé d’inscription"), max_length=60, blank=True)
    capacity = models.PositiveIntegerField(_("nombre de places"), null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """None: opened by `course.yml` itself; such a session follows the current version of its course."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("title", "slug")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_on__isnull=True)
                | models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="session_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.slug])

    @property
    def modules(self) -> list[Module]:
        return self.course_version.modules

    def is_running(self) -> bool:
        """Whether work is accepted: the session is open and today is within its dates."""
        today = timezone.localdate()
        return (
            self.state == self.State.OPEN
            and (self.starts_on is None or self.starts_on <= today)
            and (self.ends_on is None or today <= self.ends_on)
        )


class SessionRole(models.Model):
    """A person who teaches or corrects in a session; learners are `learning.Enrolment`."""

    class Role(models.TextChoices):
        TRAINER = "trainer", _("formateur")
        GRADER = "grader", _("correcteur")

    session = models.ForeignKey(CourseSession, on_delete=models.CASCADE, related_name="roles")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="session_roles")
    role = models.CharField(_("rôle"), max_length=8, choices=Role.choices)

    class Meta:
        ordering = ("session", "role", "user")
        constraints = [models.UniqueConstraint(fields=["session", "user", "role"], name="one_row_per_session_role")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.user_id}/{self.role}"
