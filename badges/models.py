"""What is kept of badges: what was promised, and who was given what.

Laws: an award is made once per person and achievement (a database constraint), never deleted (demonstrations are) and never
changed but for its publication and its revocation; a place in a revocation list is used once.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from badges.credential import Achievement, Alignment, Result, format_hours


class Badge(models.Model):
    """What a badge promises, exactly as it was when someone first received it."""

    digest = models.CharField(max_length=32, unique=True)
    key = models.CharField(max_length=200, db_index=True)
    course = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    title = models.CharField(max_length=300)
    description = models.TextField()
    criteria = models.TextField()
    hours = models.FloatField()
    course_title = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=40, default="Course")
    language = models.CharField(max_length=10, default="fr")
    alignment = models.JSONField(default=list)
    image_svg = models.BinaryField()
    image_png = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("badge")
        verbose_name_plural = _("badges")

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"

    def get_absolute_url(self) -> str:
        return reverse("badges:badge", args=[self.digest])

    @property
    def duration(self) -> str:
        return format_hours(self.hours)

    @property
    def achievement(self) -> Achievement:
        return Achievement(
            key=self.key,
            course=self.course,
            version=self.version,
            title=self.title,
            description=self.description,
            criteria=self.criteria,
            image_svg=bytes(self.image_svg),
            hours=self.hours,
            course_title=self.course_title,
            kind=self.kind,
            language=self.language,
            alignment=tuple(Alignment(**alignment) for alignment in self.alignment),
        )


class Award(models.Model):
    """One person's signed credential."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="awards")
    badge = models.ForeignKey(Badge, on_delete=models.PROTECT, related_name="awards")
    achievement_key = models.CharField(max_length=200)
    session = models.CharField(max_length=63, blank=True)
    check_code = models.CharField(_("code de vérification"), max_length=14, unique=True)
    recipient_name = models.CharField(_("nom signé"), max_length=300)
    issuer_id = models.CharField(max_length=300, db_index=True)
    is_demonstration = models.BooleanField(default=False)
    credential_text = models.TextField()
    results = models.JSONField(default=list)
    started_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(_("délivré le"))
    status_list = models.PositiveIntegerField()
    status_index = models.PositiveIntegerField()
    email_salt = models.CharField(max_length=64)
    published_at = models.DateTimeField(_("publié le"), null=True, blank=True)
    openbadges2_at = models.DateTimeField(null=True, blank=True)
    """Since when the holder lets older wallets read a salted hash of their e-mail address (Open Badges 2.0)."""
    shows_marks = models.BooleanField(_("notes visibles"), default=False)
    """Whether the page and the signed files hold the marks; `credential_text` and the attestation always do."""
    revoked_at = models.DateTimeField(_("révoqué le"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revocation_reason = models.CharField(_("motif de la révocation"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("badge délivré")
        verbose_name_plural = _("badges délivrés")
        ordering = ["-issued_at", "-pk"]
        permissions = [("revoke_award", _("révoquer un badge délivré"))]
        constraints = [
            models.UniqueConstraint(fields=["recipient", "achievement_key"], name="badges_award_once"),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="badges_award_status_place"),
        ]

    def __str__(self) -> str:
        return f"{self.check_code} {self.achievement_key}"

    def get_absolute_url(self) -> str:
        return reverse("badges:award", args=[self.check_code])

    @property
    def credential(self) -> dict[str, Any]:
        """The signed document."""
        return cast(dict[str, Any], json.loads(self.credential_text))

    @property
    def hosts_openbadges2(self) -> bool:
        """Whether the 2.0 assertion answers: published, and its e-mail hash agreed to."""
        return self.published_at is not None and self.openbadges2_at is not None

    @property
    def module_results(self) -> list[Result]:
        return [Result(**result) for result in self.results]
