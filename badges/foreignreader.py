"""Checks a badge of another issuer with openbadgeslib: run as a process of its own by `foreign.py`, never imported by the portal.

Standard input: {"text": credential (JSON or token), "issuer": DID, "documents": {address: text}}; standard output: {"outcome", "detail"}.
Laws: canonicalising somebody else's JSON-LD may take exponential time, so memory and time are bounded before it begins; nothing is fetched: what
may be read was fetched before, by `foreign.py`.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError, OB3Verifier

MEMORY_BYTES = 768 << 20
CPU_S = 8


def main() -> None:
    asked = json.load(sys.stdin)
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    json.dump(check(asked["text"], asked["issuer"], asked["documents"]), sys.stdout)


def check(text: str, issuer: str, documents: dict[str, str]) -> dict[str, str]:
    """The outcome: "holds", "expired", "early", "revoked" or "invalid"; the library's own words as detail."""

    def download(address: str, *_args: Any, **_kwargs: Any) -> bytes:
        if address not in documents:
            raise OB3VerificationError(f"not fetched: {address}")
        return documents[address].encode("utf-8")

    try:
        if text.startswith("{"):
            verifier = OB3LdpVerifier.for_issuer_did(issuer, download=download)
            verifier.verify(text, check_status=bool(documents), download=download, verify_status_list=False)
        else:
            token_verifier = OB3Verifier.for_issuer_did(issuer, download=download)
            token_verifier.verify(text, check_status=bool(documents), download=download, verify_status_list=False)
    except OB3VerificationError as error:
        words = str(error)
        for sign, outcome in (
            ("Credential has expired", "expired"),
            ("not yet valid", "early"),
            ("Credential status '", "revoked"),
        ):
            if sign in words and "proof" not in words:
                return {"outcome": outcome, "detail": words[:300]}
        return {"outcome": "invalid", "detail": words[:300]}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError) as error:
        return {"outcome": "invalid", "detail": f"{type(error).__name__}: {error}"[:300]}
    return {"outcome": "holds", "detail": ""}


if __name__ == "__main__":
    main()
