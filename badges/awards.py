"""From a completed course to an award, exactly once; and its revocation.

Laws: `ensure_award` may be called any number of times, by any number of processes, and killed anywhere: one award per
person and achievement results, held by a database constraint. The document is signed before the row is written, so no
row is ever without its signature; the message to the learner is handed over in the same transaction as the row (the portal's
mail backend writes it down there).
A revoked award stays revoked, and is not given again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from badges.artwork import render_png
from badges.check_codes import make_check_code
from badges.credential import Achievement, Alignment, Particulars, Result, make_credential
from badges.errors import BadgeError, IssuerChanged, RevocationRefused
from badges.issuer import Issuer, load_issuer
from badges.messages import announce_award, announce_revocation
from badges.models import Award, Badge
from badges.names import clean_name
from badges.status_list import CAPACITY, LENGTH

__all__ = [
    "Achievement",
    "Alignment",
    "Result",
    "drop_demonstrations",
    "ensure_award",
    "find_award",
    "revoke_award",
    "sign_anew",
]

_log = logging.getLogger(__name__)
REASON_MAX_LENGTH = 500


def ensure_award(
    *,
    recipient: Any,
    achievement: Achievement,
    session: str,
    results: Sequence[Result],
    evidence: Sequence[str],
    started_at: datetime | None = None,
) -> Award:
    """The person's award for this achievement, made now if there is none.

    Raises
    ------
    IssuerChanged
        Awards exist under another public address.
    ArtworkRefused
        The badge's drawing cannot be used.
    """
    found = find_award(recipient, achievement.key)
    if found is not None:
        return found
    issuer = load_issuer()
    check_issuer_unchanged(issuer)
    badge = ensure_badge(achievement)
    for _attempt in range(5):
        award = _sign_award(issuer, badge, recipient, session, results, evidence, started_at)
        try:
            with transaction.atomic():
                award.save(force_insert=True)
                announce_award(award)
        except IntegrityError:
            # Another process was first; or, one time in a great many, the code or the place in the list was taken.
            found = find_award(recipient, achievement.key)
            if found is not None:
                return found
            continue
        _log.info("award %s: %s to user %s", award.check_code, achievement.key, recipient.pk)
        return award
    raise BadgeError("award-not-stored", _("Le badge n’a pas pu être enregistré : réessayez."))


def find_award(recipient: Any, key: str) -> Award | None:
    return Award.objects.select_related("badge").filter(recipient=recipient, achievement_key=key).first()


def ensure_badge(achievement: Achievement) -> Badge:
    """The stored form of what is promised, its picture rasterised the first time."""
    digest = _digest_achievement(achievement)
    found = Badge.objects.filter(digest=digest).first()
    if found is not None:
        return found
    fields = asdict(achievement) | {"image_png": render_png(achievement.image_svg)}
    badge, _created = Badge.objects.get_or_create(digest=digest, defaults=fields)
    return badge


def check_issuer_unchanged(issuer: Issuer) -> None:
    """Refuse to issue under a new public address while real awards live under another."""
    # « Before or after », not « other than »: the index answers, however many awards there are.
    elsewhere = Award.objects.filter(Q(issuer_id__lt=issuer.did) | Q(issuer_id__gt=issuer.did), is_demonstration=False)
    for other in elsewhere.order_by().values_list("issuer_id", flat=True)[:1]:
        _log.error("public address is %s but awards were issued by %s", issuer.did, other)
        raise IssuerChanged(
            "issuer-changed",
            _(
                "Des badges ont été délivrés sous %(other)s : changer d’adresse publique les rendrait "
                "invérifiables. Rétablissez PUPITRE_PUBLIC_URL."
            )
            % {"other": other},
        )


def drop_demonstrations() -> list[tuple[int, str]]:
    """Delete the awards made while the address was a loopback one, now that it is real; returns whose (person, session).

    They were worth nothing, and would keep their holders from receiving the real ones.

    Raises
    ------
    BadgeError
        The address is still a loopback one.
    """
    issuer = load_issuer()
    if issuer.is_demonstration:
        raise BadgeError(
            "still-demonstration",
            _("L’adresse publique est encore celle de cette machine : de nouveaux badges ne vaudraient pas mieux."),
        )
    with transaction.atomic():
        found = Award.objects.filter(is_demonstration=True)
        holders = list(found.values_list("recipient_id", "session"))
        found.delete()
    _log.warning("%d demonstration awards dropped", len(holders))
    return holders


def revoke_award(award: Award, *, reason: str, by: Any | None) -> Award:
    """Revoke an award: its page and its list say so at once, the learner is told why.

    Raises
    ------
    RevocationRefused
        No reason was given, or the award is already revoked.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise RevocationRefused(
            "reason-missing", _("Indiquez le motif de la révocation : il est envoyé au participant.")
        )
    if len(reason) > REASON_MAX_LENGTH:
        raise RevocationRefused(
            "reason-too-long", _("Le motif dépasse %(most)d caractères.") % {"most": REASON_MAX_LENGTH}
        )
    with transaction.atomic():
        locked = Award.objects.select_for_update().get(pk=award.pk)
        if locked.revoked_at is not None:
            raise RevocationRefused("already-revoked", _("Ce badge est déjà révoqué."))
        locked.revoked_at = timezone.now()
        locked.revocation_reason = reason
        locked.revoked_by = by
        locked.save(update_fields=["revoked_at", "revocation_reason", "revoked_by"])
        announce_revocation(locked)
    _log.warning("award %s revoked by user %s", locked.check_code, getattr(by, "pk", None))
    return locked


def sign_anew(issuer: Issuer, kid: str) -> int:
    """Sign again, by the current key, every award whose proof names `kid`; returns how many. Idempotent."""
    method = f"{issuer.did}#{kid}"
    count = 0
    for award in Award.objects.filter(issuer_id=issuer.did).iterator(chunk_size=100):
        document = award.credential
        if document["proof"]["verificationMethod"] == method:
            del document["proof"]
            award.credential_text = json.dumps(issuer.sign(document, timezone.now()))
            award.save(update_fields=["credential_text"])
            count += 1
    return count


def _sign_award(
    issuer: Issuer,
    badge: Badge,
    recipient: Any,
    session: str,
    results: Sequence[Result],
    evidence: Sequence[str],
    started_at: datetime | None,
) -> Award:
    """An award with its signed document, not yet stored."""
    now = timezone.now().replace(microsecond=0)
    check_code = make_check_code()
    name = clean_name(recipient.display_name) or _("Participant")
    status_list, status_index = _draw_status_place()
    particulars = Particulars(
        id=issuer.award_url(check_code),
        subject_id=f"urn:uuid:{uuid.uuid4()}",
        recipient_name=name,
        session=session,
        issued_at=now,
        started_at=started_at,
        results=results,
        evidence=evidence,
        status_list=issuer.status_list_url(status_list),
        status_index=status_index,
    )
    document = make_credential(issuer.profile, badge.achievement, issuer.badge_url(badge.digest), particulars)
    return Award(
        recipient=recipient,
        badge=badge,
        achievement_key=badge.key,
        session=session,
        check_code=check_code,
        recipient_name=name,
        issuer_id=issuer.did,
        is_demonstration=issuer.is_demonstration,
        credential_text=json.dumps(issuer.sign(document, now)),
        results=[asdict(result) for result in results],
        started_at=started_at,
        issued_at=now,
        status_list=status_list,
        status_index=status_index,
        email_salt=secrets.token_hex(16),
    )


def _draw_status_place() -> tuple[int, int]:
    """A free place, at random, in the list that is being filled (the constraint catches the rare collision)."""
    number = Award.objects.count() // CAPACITY + 1
    while True:
        index = secrets.randbelow(LENGTH)
        if not Award.objects.filter(status_list=number, status_index=index).exists():
            return number, index


def _digest_achievement(achievement: Achievement) -> str:
    values = asdict(achievement) | {"image_svg": hashlib.sha256(achievement.image_svg).hexdigest()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]
