"""Badges of other issuers: verified when their key is in the file (`did:key`, `did:jwk`) or when an administrator listed their host.

Laws: an address that somebody gave is asked only if its host is on the list (`PUPITRE_VERIFIER_HOSTS`), over https, without following
redirections, for one megabyte at most; what is found elsewhere stays « non vérifiable ici », never « valide »; a key that is in the file proves that
nothing was changed, not whose it is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from django.utils.translation import gettext as _

from badges.apart import Apart, NoAnswer, NoTurn
from badges.errors import BadgeError, FileRefused
from badges.vcjwt import read_token
from badges.verify import MAX_FILE_BYTES, State, Verdict, extract_text, parse_json

TIMEOUT_S = 20.0
FETCH_TIMEOUT_S = 5.0
CHECKS_AT_ONCE = 2
_log = logging.getLogger(__name__)
_checker = Apart("foreignreader.py", TIMEOUT_S, CHECKS_AT_ONCE)


def may_ask(address: str, hosts: Sequence[str]) -> bool:
    """Whether an address may be asked: https, standard port, no password, a listed host."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and port in (None, 443) and parts.username is None and parts.hostname in hosts


def fetch(address: str, hosts: Sequence[str], accept: str = "*/*") -> bytes:
    """What a listed host answers.

    Raises
    ------
    FileRefused
        The address is not one that may be asked, or it did not answer with a small document.
    """
    if not may_ask(address, hosts):
        raise FileRefused(
            "address-not-listed",
            _("Pupitre n’interroge pas cette adresse : téléchargez le fichier du badge, puis déposez-le ici."),
        )
    try:
        with open_client() as client, client.stream("GET", address, headers={"Accept": accept}) as response:
            if response.status_code != 200:
                raise FileRefused("address-refused", _("Cette adresse ne donne pas de badge."))
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > MAX_FILE_BYTES:
                    raise FileRefused("file-too-large", _("Ce fichier dépasse 1 Mo : un badge est bien plus petit."))
    except httpx.HTTPError as error:
        _log.warning("%s did not answer: %s", address[:200], error)
        raise FileRefused("address-silent", _("Cette adresse ne répond pas : réessayez plus tard.")) from error
    return content


def open_client() -> httpx.Client:
    return httpx.Client(timeout=FETCH_TIMEOUT_S, follow_redirects=False, trust_env=False)


def judge_foreign(content: bytes, verdict: Verdict, hosts: Sequence[str]) -> Verdict:
    """A better verdict on a file whose issuer we are not, when its key can be known; otherwise the same."""
    if verdict.code != "issuer-unknown" or verdict.facts is None:
        return verdict
    issuer = verdict.facts.issuer_id
    text = extract_text(content)[0].strip()
    if issuer.startswith(("did:key:", "did:jwk:")):
        documents: dict[str, str] = {}
    elif _host_of(issuer) in hosts:
        try:
            documents = _fetch_documents(text, issuer, hosts)
        except BadgeError as error:
            return replace(verdict, sentence=f"{verdict.sentence} {error.message}")
    else:
        return verdict
    answer = _check_apart({"text": text, "issuer": issuer, "documents": documents})
    _log.info("badge of %s: %s %s", issuer[:100], answer["outcome"], answer["detail"])
    return _say(verdict, answer["outcome"], listed=bool(documents))


def _say(verdict: Verdict, outcome: str, *, listed: bool) -> Verdict:
    state, code, sentence = {
        "holds": (
            State.SIGNED,
            "signed-by-its-key",
            _(
                "La signature est juste : ce fichier n’a pas été modifié depuis. Mais la clé est celle que le fichier donne "
                "lui-même : rien ne dit ici à qui elle est, ni si le badge a été révoqué."
            ),
        ),
        "listed": (
            State.VALID,
            "valid-elsewhere",
            _("Ce badge est valable : son émetteur, que cette installation connaît, l’a signé et ne l’a pas révoqué."),
        ),
        "revoked": (State.REVOKED, "revoked", _("Ce badge a été révoqué par son émetteur : il n’est plus valable.")),
        "expired": (State.EXPIRED, "expired", _("Ce badge est expiré.")),
        "early": (State.EARLY, "not-yet-valid", _("Ce badge n’est pas encore valable : sa date est à venir.")),
        "busy": (
            State.UNVERIFIABLE,
            "check-too-demanding",
            _("Ce badge demande trop de temps pour être vérifié : sa signature n’a pas pu l’être."),
        ),
    }.get(
        "listed" if outcome == "holds" and listed else outcome,
        (
            State.INVALID,
            "proof-mismatch",
            _("La signature ne correspond pas au contenu : le document a été modifié."),
        ),
    )
    return replace(verdict, state=state, code=code, sentence=sentence)


def _host_of(did: str) -> str:
    """The host of a `did:web`; "" for any other method."""
    if not did.startswith("did:web:"):
        return ""
    return unquote(did.removeprefix("did:web:").partition(":")[0])


def _fetch_documents(text: str, issuer: str, hosts: Sequence[str]) -> dict[str, str]:
    """The issuer's keys and, when the badge names one, its revocation list."""
    host, *path = issuer.removeprefix("did:web:").split(":")
    place = "/".join(unquote(step) for step in path) if path else ".well-known"
    addresses = [f"https://{unquote(host)}/{place}/did.json"]
    document: dict[str, Any] = parse_json(text) if text.startswith("{") else read_token(text)[1]
    status = document.get("credentialStatus")
    for entry in status if isinstance(status, list) else [status]:
        if isinstance(entry, dict) and isinstance(entry.get("statusListCredential"), str):
            addresses.append(entry["statusListCredential"])
    accept = "application/did+json, application/vc+ld+json, application/vc, application/json"
    return {address: fetch(address, hosts, accept).decode("utf-8", "replace") for address in addresses[:4]}


def _check_apart(asked: dict[str, Any]) -> dict[str, str]:
    try:
        return _checker.read(json.dumps(asked).encode())
    except NoTurn:
        return {"outcome": "busy", "detail": "others are being checked"}
    except NoAnswer as error:
        return {"outcome": "busy", "detail": str(error)}
