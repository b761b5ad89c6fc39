"""JSON-LD contexts from an installed package, and the canonical form that proofs sign.

Laws: the network is never asked (a context that is not listed here is refused); the contexts are openbadgeslib's package
data, pinned by digest so that an update of the package cannot change what our signatures mean.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any, cast

from django.utils.translation import gettext as _
from pyld import jsonld

from badges.errors import ContextUnavailable, ProofInvalid

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_V3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

# address -> (file in openbadgeslib.ob3/contexts, SHA-256 of its bytes)
_PINNED = {
    CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES_V3: ("ob-v3p0-context-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
    OPEN_BADGES_EXTENSIONS: (
        "ob-v3p0-extensions.json",
        "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93",
    ),
}


@cache
def load_context(address: str) -> dict[str, Any]:
    """Return the context at `address`.

    Raises
    ------
    ContextUnavailable
        It is not one of ours, or the installed file is not the one we signed with.
    """
    if address not in _PINNED:
        raise ContextUnavailable(
            "context-unknown", _("Contexte JSON-LD inconnu ici : %(address)s") % {"address": address[:200]}
        )
    name, digest = _PINNED[address]
    content = (files("openbadgeslib.ob3") / "contexts" / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ContextUnavailable(
            "context-changed", _("Le contexte %(name)s installé n’est pas celui attendu.") % {"name": name}
        )
    return cast(dict[str, Any], json.loads(content))


def _load_document(address: str, options: dict[str, Any]) -> dict[str, Any]:
    """pyld's document loader, without a network."""
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": address,
        "document": load_context(address),
        "tag": "static",  # pyld then keeps the processed context: a sixth of the time of a signature
    }


def _refuse_property(name: object) -> None:
    raise ProofInvalid(
        "term-unknown",
        _("Propriété inconnue du contexte, donc non signée : %(name)s") % {"name": str(name)[:80]},
    )


def canonicalize(document: dict[str, Any]) -> bytes:
    """RDF Dataset Canonicalization (RDFC-1.0) of a JSON-LD document, as N-Quads in UTF-8.

    Only for documents of our own shape: the algorithm is exponential on hostile graphs.
    Raises `ProofInvalid` when the document is no JSON-LD, or when a property would be left out of the signature.
    """
    options = {
        "documentLoader": _load_document,
        "base": "",
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
    }
    try:
        # pyld signs silently without the terms it does not know: they must be an error.
        quads = jsonld.JsonLdProcessor(on_property_dropped=_refuse_property).normalize(document, options)
    except jsonld.JsonLdError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ContextUnavailable):
                raise cause from error
            cause = getattr(cause, "cause", None) or cause.__cause__
        raise ProofInvalid("not-json-ld", _("Le document n’est pas du JSON-LD lisible.")) from error
    return cast(str, quads).encode("utf-8")
