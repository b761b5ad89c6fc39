"""The signed document that the holder lets others have: with the marks, or without them.

Laws: one address, one content, whoever asks; the form without marks is made from the award's own document when it is asked
for, so nothing is stored twice and a retired key leaves nothing behind; the attestation alone always carries the marks.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from badges.credential import without_marks
from badges.issuer import Issuer
from badges.keys import ED25519
from badges.models import Award


def shown_credential(issuer: Issuer, award: Award) -> dict[str, Any]:
    """What `badge.json` answers."""
    if award.shows_marks:
        return award.credential
    return dict(_sign_without_marks(issuer, issuer.keys.current(ED25519).kid, award.credential_text))


@lru_cache(maxsize=256)  # signing costs some 20 ms; every argument that changes the document is in the key
def _sign_without_marks(issuer: Issuer, _kid: str, credential_text: str) -> dict[str, Any]:
    document = json.loads(credential_text)
    return issuer.sign(without_marks(document), datetime.fromisoformat(document["proof"]["created"]))
