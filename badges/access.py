"""Who may see what of an award.

The check code is the capability: it is drawn at random, and stands on the attestation that its holder shows. Whoever has
it sees whose award it is and whether it is valid, and no more. Signed files are
for the holder, and for anyone once the holder has published the award; the e-mail hash needs a consent of its own; marks, on the
page and in signed files, only if the holder says so.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from badges.check_codes import find_check_code
from badges.models import Award


def get_award(typed_code: str) -> Award:
    """The award of a code as typed in an address, or a 404."""
    code = find_check_code(typed_code)
    award = Award.objects.select_related("badge", "recipient").filter(check_code=code).first() if code else None
    if award is None:
        raise Http404(_("Aucun badge ne porte ce code."))
    return award


def is_holder(user: Any, award: Award) -> bool:
    return bool(user.is_authenticated and user.is_active and award.recipient_id == user.pk)


def can_revoke(user: Any) -> bool:
    return bool(user.has_perm("badges.revoke_award"))


def can_see_files(user: Any, award: Award) -> bool:
    return award.published_at is not None or is_holder(user, award)


def can_see_marks(user: Any, award: Award) -> bool:
    return award.shows_marks or is_holder(user, award)


def check_files(user: Any, award: Award) -> None:
    """Raise `PermissionDenied` when the person may not have the signed files."""
    if not can_see_files(user, award):
        raise PermissionDenied(_("La personne qui a reçu ce badge n’a pas publié ses fichiers."))
