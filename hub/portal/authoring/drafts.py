"""Who may write and publish which course."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.portal.authoring.models import Draft
from hub.portal.catalogue.models import Course, CourseVersion


@dataclass(frozen=True)
class WrittenCourse:
    """A course of the workshop's list: the draft, and its published version if there is one."""

    draft: Draft
    published: CourseVersion | None


def list_written_courses(author: Any) -> list[WrittenCourse]:
    """The author's courses, newest first; two queries however many they are."""
    drafts = list(Draft.objects.filter(author=author))
    return [WrittenCourse(draft, published) for draft, published in _with_versions(drafts)]


def _with_versions(drafts: list[Draft]) -> Iterable[tuple[Draft, CourseVersion | None]]:
    slugs = [draft.slug for draft in drafts]
    versions = CourseVersion.objects.filter(course__slug__in=slugs, is_current=True).select_related("course")
    by_slug = {version.course.slug: version for version in versions}
    return [(draft, by_slug.get(draft.slug)) for draft in drafts]


def is_slug_free(slug: str) -> bool:
    """Whether a new course may take this slug."""
    return not Draft.objects.filter(slug=slug).exists() and not Course.objects.filter(slug=slug).exists()


def may_publish(user: Any, slug: str) -> bool:
    """Whether the person may publish under this slug: it is their draft, or nobody's yet; an administrator always."""
    if user.is_superuser:
        return True
    if not user.has_perm("catalogue.write_course"):
        return False
    owner = Draft.objects.filter(slug=slug).values_list("author_id", flat=True).first()
    return owner == user.pk if owner is not None else not Course.objects.filter(slug=slug).exists()


def claim_course(user: Any, slug: str, title: str) -> None:
    """Who publishes first under a free slug keeps it."""
    if not Draft.objects.filter(slug=slug).exists():
        Draft.objects.get_or_create(slug=slug, defaults={"title": title, "author": user})


def find_draft(author: Any, ticket: UUID) -> Draft | None:
    """The author's draft with this ticket."""
    return Draft.objects.filter(author=author, ticket=ticket).first()
