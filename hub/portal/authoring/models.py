"""What authors write in their workshop, as far as the portal knows: a slug that is theirs, and a title.

Law: a course's slug belongs to one author from « Nouveau parcours » on; only they publish under it. The files live in
their own space (`~/atelier/<slug>/`), which the portal never opens.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.portal.catalogue.models import check_slug


class Draft(models.Model):
    """A course being written."""

    slug = models.CharField(max_length=63, unique=True, validators=[check_slug])
    title = models.CharField(max_length=200)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """Known to the author's browser and bridge only: nobody else's page can make a course appear in a workshop."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.slug
