"""What is true about a badge: pure, offline, from its bytes and from what the issuer's own register says.

Laws: nothing is fetched; a file of an issuer we do not know is never « valide »; a file of ours is compared with what was
signed before its signature is computed, so hostile JSON never reaches the canonicalisation; the strictest finding wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.translation import gettext as _

from badges import baking
from badges.contexts import CREDENTIALS_V2
from badges.credential import without_marks
from badges.errors import BadgeError, FileRefused, ProofInvalid
from badges.keys import Key
from badges.pdf import read_badge
from badges.proof import check_proof, find_verification_method
from badges.vcjwt import CLAIMS, check_token, read_token

MAX_FILE_BYTES = 1 << 20
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_OPEN_BADGES_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-\d+\.\d+\.\d+)?\.json")
_OPEN_BADGES_TYPES = {"OpenBadgeCredential", "AchievementCredential"}
_CLAIM_MAX_LENGTH = 200


class State(StrEnum):
    """What a person is told, from best to worst."""

    VALID = "valid"
    SIGNED = "signed"
    """By a key that is in the file itself: whole, but from whom is not known here."""
    DEMONSTRATION = "demonstration"
    UNVERIFIABLE = "unverifiable"
    EXPIRED = "expired"
    EARLY = "early"
    REVOKED = "revoked"
    RETIRED_KEY = "retired-key"
    INVALID = "invalid"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Facts:
    """What the badge says of itself; true only when the state says so."""

    title: str
    recipient_name: str
    issuer_name: str
    issuer_id: str
    awarded_on: str


@dataclass(frozen=True)
class Verdict:
    state: State
    code: str
    sentence: str
    facts: Facts | None = None
    check_code: str = ""
    """Set when the award is in our register: it has a page."""


@dataclass(frozen=True)
class Registered:
    """What the issuer's register knows of one award."""

    credential: dict[str, Any]
    check_code: str
    revoked_at: datetime | None
    is_demonstration: bool
    image_png: bytes
    image_svg: bytes


class Register(Protocol):
    """The issuer's own register."""

    @property
    def issuer_id(self) -> str: ...
    def find_key(self, kid: str) -> Key | None: ...
    def find_award(self, credential_id: str) -> Registered | None: ...


def verify_file(content: bytes, register: Register, now: datetime) -> Verdict:
    """Read a PNG, SVG, PDF, JSON or JWT file from anyone, and say what is true about it."""
    try:
        if len(content) > MAX_FILE_BYTES:
            raise FileRefused("file-too-large", _("Ce fichier dépasse 1 Mo : un badge est bien plus petit."))
        text, has_own_picture = extract_text(content)
        if _TOKEN.fullmatch(text.strip()):
            return _verify_token(text.strip(), register, now, has_own_picture)
        return verify_credential(parse_json(text), register, now, has_own_picture)
    except BadgeError as error:
        state = State.UNREADABLE if isinstance(error, FileRefused) else State.INVALID
        return Verdict(state, error.code, error.message)


def verify_credential(
    document: dict[str, Any],
    register: Register,
    now: datetime,
    has_own_picture: Callable[[Registered], bool] = lambda award: True,
) -> Verdict:
    """Verify a credential secured by a Data Integrity proof."""
    return _verify(document, register, now, has_own_picture, token="")


def _verify_token(
    token: str, register: Register, now: datetime, has_own_picture: Callable[[Registered], bool]
) -> Verdict:
    _header, claims = read_token(token)
    document = {name: value for name, value in claims.items() if name not in CLAIMS}
    return _verify(document, register, now, has_own_picture, token=token)


def _verify(
    document: dict[str, Any],
    register: Register,
    now: datetime,
    has_own_picture: Callable[[Registered], bool],
    token: str,
) -> Verdict:
    facts = _read_facts(document)
    try:
        _check_form(document)
        if facts.issuer_id != register.issuer_id:
            return Verdict(
                State.UNVERIFIABLE,
                "issuer-unknown",
                _(
                    "Signature non vérifiable ici : ce badge dit venir d’un autre émetteur, que cette installation ne connaît pas."
                ),
                facts,
            )
        award = register.find_award(str(document.get("id")))
        if award is None:
            raise ProofInvalid("award-unknown", _("Aucun badge de ce numéro n’a été délivré ici."))
        _check_unchanged(document, award)
        keys = [_check_data_integrity(document, register)]
        if token:
            keys.append(_check_token(token, register))
        if not has_own_picture(award):
            raise ProofInvalid(
                "picture-replaced", _("La signature est juste, mais l’image n’est pas celle de ce badge.")
            )
    except ProofInvalid as error:
        return Verdict(State.INVALID, error.code, error.message, facts)
    return _judge(award, keys, facts, now)


def _judge(award: Registered, keys: list[Key], facts: Facts, now: datetime) -> Verdict:
    """The state of an award whose signatures hold."""

    def verdict(state: State, code: str, sentence: str) -> Verdict:
        return Verdict(state, code, sentence, facts, award.check_code)

    if any(key.retired for key in keys):
        return verdict(
            State.RETIRED_KEY,
            "key-retired",
            _("Ce badge a été signé par une clé qui n’est plus sûre : demandez à l’émetteur un nouveau fichier."),
        )
    if award.revoked_at is not None:
        return verdict(State.REVOKED, "revoked", _("Ce badge a été révoqué par son émetteur : il n’est plus valable."))
    valid_from, valid_until = (_read_date(award.credential.get(name)) for name in ("validFrom", "validUntil"))
    if valid_from is not None and valid_from > now:
        return verdict(State.EARLY, "not-yet-valid", _("Ce badge n’est pas encore valable : sa date est à venir."))
    if valid_until is not None and valid_until < now:
        return verdict(State.EXPIRED, "expired", _("Ce badge est expiré."))
    if award.is_demonstration:
        return verdict(
            State.DEMONSTRATION,
            "demonstration",
            _("La signature est juste, mais ce badge vient d’une installation d’essai : il ne prouve rien."),
        )
    return verdict(State.VALID, "valid", _("Ce badge est valable : il a été délivré ici et n’a pas été modifié."))


def parse_json(text: str) -> dict[str, Any]:
    """A JSON object; duplicate names, NaN and bottomless nesting are refused."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = dict(pairs)
        if len(names) != len(pairs):
            raise FileRefused("json-duplicate", _("Ce fichier JSON dit deux fois la même propriété : il a été altéré."))
        return names

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise FileRefused(
            "not-a-badge", _("Ce fichier n’est pas un badge : ni image PNG ou SVG, ni JSON, ni jeton.")
        ) from error
    if not isinstance(document, dict):
        raise FileRefused("not-a-badge", _("Ce fichier JSON n’est pas un badge."))
    return document


def extract_text(content: bytes) -> tuple[str, Callable[[Registered], bool]]:
    """The credential's text, and how to tell whether the picture around it is the badge's own."""
    if content.startswith(baking.PNG_SIGNATURE):
        text = baking.extract_png(content)
        assertion_url = baking.find_assertion_url(content)

        def is_whole(award: Registered) -> bool:
            return _names_own_assertion(award, assertion_url) and baking.strip_png(content) == baking.strip_png(
                award.image_png
            )

        return text, is_whole
    if content.startswith(b"%PDF"):
        found = read_badge(content)
        return found.credential, lambda award: _names_own_assertion(award, found.assertion_url)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        text = baking.extract_svg(content)
        return text, lambda award: baking.bake_svg(award.image_svg, text) == content
    try:
        return content.decode("utf-8-sig"), lambda award: True
    except UnicodeDecodeError as error:
        raise FileRefused(
            "not-a-badge", _("Ce fichier n’est pas un badge : ni image PNG ou SVG, ni JSON, ni jeton.")
        ) from error


def _names_own_assertion(award: Registered, assertion_url: str) -> bool:
    """Whether what the file says to Open Badges 2.0 wallets is about the same award; `ProofInvalid` otherwise."""
    if assertion_url not in ("", f"{award.credential['id']}assertion.json"):
        raise ProofInvalid("badges-disagree", _("Ce fichier porte deux badges qui ne disent pas la même chose."))
    return True


def _check_form(document: dict[str, Any]) -> None:
    contexts, types = document.get("@context"), document.get("type")
    if contexts == "https://w3id.org/openbadges/v2":
        raise FileRefused(
            "open-badges-2", _("C’est un badge Open Badges 2.0, sans signature : ouvrez l’adresse qu’il contient.")
        )
    if not isinstance(contexts, list) or not isinstance(types, list):
        raise FileRefused("not-a-badge", _("Ce fichier JSON n’est pas un badge."))
    texts = [context for context in contexts if isinstance(context, str)]
    if len(texts) < 2 or contexts[0] != CREDENTIALS_V2 or not _OPEN_BADGES_CONTEXT.fullmatch(str(contexts[1])):
        raise ProofInvalid(
            "context-order", _("Les deux premiers contextes JSON-LD ne sont pas, dans l’ordre, ceux d’Open Badges 3.0.")
        )
    names = {name for name in types if isinstance(name, str)}
    if "VerifiableCredential" not in names or not names & _OPEN_BADGES_TYPES:
        raise FileRefused("not-a-badge", _("Ce fichier JSON n’est pas un badge Open Badges 3.0."))


def _check_unchanged(document: dict[str, Any], award: Registered) -> None:
    """What was signed must be there to the letter, and nothing else: with the marks, or without them."""
    signed = award.credential
    if document.get("credentialSubject") != signed.get("credentialSubject"):
        hidden = without_marks(signed)
        if document.get("credentialSubject") == hidden["credentialSubject"]:
            signed = hidden
    names = (set(document) | set(signed)) - {"proof"}
    changed = sorted(name for name in names if document.get(name) != signed.get(name))
    if changed:
        raise ProofInvalid(
            "altered", _("Ce badge a été modifié après sa signature (%(name)s).") % {"name": changed[0][:60]}
        )


def _check_data_integrity(document: dict[str, Any], register: Register) -> Key:
    method = find_verification_method(document)
    did, _separator, kid = method.partition("#")
    key = register.find_key(kid) if did == register.issuer_id else None
    if key is None or not isinstance(key.private, Ed25519PrivateKey):
        raise ProofInvalid("key-unknown", _("La clé que la signature nomme n’est pas à cet émetteur."))
    check_proof(document, key.private.public_key())
    return key


def _check_token(token: str, register: Register) -> Key:
    header, _claims = read_token(token)
    key = register.find_key(str(header.get("kid", "")).rpartition("/")[2])
    if key is None or not isinstance(key.private, ec.EllipticCurvePrivateKey):
        raise ProofInvalid("key-unknown", _("La clé que la signature nomme n’est pas à cet émetteur."))
    check_token(token, key.private.public_key())
    return key


def _read_facts(document: dict[str, Any]) -> Facts:
    """What the document claims, whatever its shape."""

    def text(*path: str | int) -> str:
        value: Any = document
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and len(value) > step:
                value = value[step]
            else:
                return ""
        return value[:_CLAIM_MAX_LENGTH] if isinstance(value, str) else ""

    subject = "credentialSubject"
    return Facts(
        title=text(subject, "achievement", "name") or text("name"),
        recipient_name=text(subject, "identifier", 0, "identityHash")
        if text(subject, "identifier", 0, "identityType") == "name"
        else "",
        issuer_name=text("issuer", "name"),
        issuer_id=text("issuer", "id") or text("issuer"),
        awarded_on=text("awardedDate") or text("validFrom"),
    )


def _read_date(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
