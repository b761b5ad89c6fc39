"""Who may do what: the one place that turns roles into permissions (docs/reference/interfaces.md, section 3).

Other apps ask `user.has_perm("graders.review_session", slug)` and import nothing from here. Laws: the object is a
session's slug; an unknown permission, session or object is a plain no, never an error; admins are answered by
`PermissionsMixin`, people who are inactive or not approved by `User.has_perm`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

if TYPE_CHECKING:
    from hub.portal.accounts.models import User

SESSION_PERMISSIONS = (
    "learning.study_session",
    "learning.attest_session",
    "graders.review_session",
    "graders.release_session",
    "catalogue.follow_session",
)
PLAIN_PERMISSIONS = (
    "catalogue.open_session",
    "catalogue.write_course",
    "badges.revoke_award",
    "accounts.approve_user",
)


def roles_of(user: Any) -> frozenset[tuple[str, str]]:
    """Every (session slug, role) of a person, with one query per request: the answer stays with the `user` object."""
    cached: frozenset[tuple[str, str]] | None = user.__dict__.get("_session_roles")
    if cached is None:
        model = apps.get_model("catalogue", "SessionRole")
        cached = frozenset(model._default_manager.filter(user_id=user.pk).values_list("session__slug", "role"))
        user.__dict__["_session_roles"] = cached
    return cached


def is_enrolled(user: Any, slug: str, *, running: bool = True) -> bool:
    """Whether the person is enrolled in the session and, with `running`, the session accepts work today."""
    model = apps.get_model("learning", "Enrolment")
    enrolment = model._default_manager.filter(learner_id=user.pk, session__slug=slug).select_related("session").first()
    return enrolment is not None and (not running or bool(enrolment.session.is_running()))


class RoleBackend(BaseBackend):
    """Answers the project's own permissions from roles; has no say in signing in."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not getattr(user_obj, "is_approved", False) or not user_obj.is_active:
            return False
        if perm in PLAIN_PERMISSIONS:
            return self._has_plain(user_obj, perm)
        if perm in SESSION_PERMISSIONS and isinstance(obj, str) and obj:
            return self._has_on_session(user_obj, perm, obj)
        return False

    def _has_plain(self, user: Any, perm: str) -> bool:
        if perm == "catalogue.write_course":
            return user.is_author or any(role == "trainer" for _slug, role in roles_of(user))
        return bool(user.is_manager)

    def _has_on_session(self, user: Any, perm: str, slug: str) -> bool:
        roles = roles_of(user)
        is_trainer, is_grader = (slug, "trainer") in roles, (slug, "grader") in roles
        match perm:
            case "graders.release_session" | "learning.attest_session":
                return is_trainer
            case "graders.review_session":
                return is_trainer or is_grader
            case "catalogue.follow_session":
                return is_trainer or bool(user.is_manager)
            case _:
                return is_trainer or is_grader or is_enrolled(user, slug)


class SignedInRequest(HttpRequest):
    """What a view behind `role_required` (or `login_required`) receives."""

    user: User  # never AnonymousUser there


_View = Callable[..., HttpResponseBase]


def knows_session(user: Any, slug: str) -> bool:
    """Whether the person may learn that the session exists: a right on it, an enrolment, or the public catalogue."""
    if any(user.has_perm(perm, slug) for perm in SESSION_PERMISSIONS) or is_enrolled(user, slug, running=False):
        return True
    return bool(apps.get_model("catalogue", "CourseSession")._default_manager.filter(slug=slug, state="open").exists())


def role_required(perm: str, slug_kwarg: str | None = None) -> Callable[[_View], _View]:
    """Let in only who has `perm` (on the session named by the address's `slug_kwarg`).

    A visitor is asked to sign in; a person who may not know of the session gets 404, any other 403.
    """

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            slug = kwargs[slug_kwarg] if slug_kwarg else None
            if not request.user.has_perm(perm, slug):
                if slug is not None and not knows_session(request.user, slug):
                    raise Http404
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate
