"""The revocation list: a signed bit string where each award has one bit, at a random place never used again.

Source: Bitstring Status List 1.0 (W3C), section 3: at least 131,072 entries, most significant bit first,
`u` followed by base64url(gzip(bits)). The list says nothing of who holds which place.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from badges.contexts import CREDENTIALS_V2
from badges.credential import Profile, format_date
from badges.did import encode_base64url

LENGTH = 131_072
# Half full, a list still hides its holders among free places; the next award opens another list.
CAPACITY = LENGTH // 2


def make_status_list(issuer: Profile, address: str, revoked: Iterable[int], valid_from: datetime) -> dict[str, Any]:
    """The list's credential, unsigned."""
    return {
        "@context": [CREDENTIALS_V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.id,
        "validFrom": format_date(valid_from),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encode_bits(revoked),
        },
    }


def encode_bits(set_indices: Iterable[int]) -> str:
    bits = bytearray(LENGTH // 8)
    for index in set_indices:
        bits[index // 8] |= 0x80 >> (index % 8)
    return "u" + encode_base64url(gzip.compress(bytes(bits), mtime=0))
