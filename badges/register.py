"""The issuer's register, as `verify` asks it: our keys and our awards, from the database."""

from __future__ import annotations

from badges.check_codes import find_check_code
from badges.issuer import Issuer
from badges.keys import Key
from badges.models import Award
from badges.verify import Registered


class AwardRegister:
    """Implements `verify.Register`."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys = issuer.keys

    @property
    def issuer_id(self) -> str:
        return self._issuer.did

    def find_key(self, kid: str) -> Key | None:
        return self._keys.find(kid)

    def find_award(self, credential_id: str) -> Registered | None:
        check_code = find_check_code(credential_id.removeprefix(f"{self._issuer.public_url}/badges/"))
        if check_code is None or credential_id != self._issuer.award_url(check_code):
            return None
        award = Award.objects.select_related("badge").filter(check_code=check_code).first()
        return None if award is None else register_award(award)


def register_award(award: Award) -> Registered:
    return Registered(
        credential=award.credential,
        check_code=award.check_code,
        revoked_at=award.revoked_at,
        is_demonstration=award.is_demonstration,
        image_png=bytes(award.badge.image_png),
        image_svg=bytes(award.badge.image_svg),
    )
