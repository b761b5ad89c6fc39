"""Any text that Unicode allows survives document, signature, picture, extraction and verification, in every form."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openbadgeslib.baking import ITXT_KEYWORD_OB3
from openbadgeslib.baking import extract_png as extract_png_outside
from openbadgeslib.ob3 import OB3LdpVerifier, OB3Verifier

from badges.awards import ensure_award
from badges.baking import bake_png, bake_svg
from badges.credential import Achievement, Result
from badges.issuer import load_issuer
from badges.names import clean_name
from badges.register import AwardRegister
from badges.verify import State, verify_file

NOW = datetime(2030, 1, 1, tzinfo=UTC)
# Any character that UTF-8 can carry: control characters, unassigned ones, non-characters, right-to-left, joined emoji.
ANY_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)
HARD = [
    "]]>",
    "\x00\x01\x1f\x7f\x85\u2028\u2029",
    "\ufeff\ufffe\uffff\U0010ffff",
    "\u202eevil\u2066",
    "e\u0301 \u00e9 \u212b",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "ﷺ𒐫",
    '"\\/\b\f\n\r\t',
    "<!--&amp;<svg onload=x>",
    "中文 العربية עברית",
    "a" * 80,
]


@pytest.fixture
def seed(public_site: Any, make_user: Any, award_to: Any) -> Any:
    """A stored award, whose names are then those of each example."""
    return award_to(make_user("alice"))


def _issue(seed: Any, achievement: Achievement, name: str, module: str) -> Any:
    """The award that a person of that name receives, made anew."""
    seed.recipient.display_name = name
    seed.recipient.save(update_fields=["display_name"])
    type(seed).objects.filter(recipient=seed.recipient).delete()
    return ensure_award(
        recipient=seed.recipient,
        achievement=achievement,
        session="été",
        results=[Result("m1", module, 1.0, 2.0)],
        evidence=["sha256:0"],
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=ANY_TEXT, title=ANY_TEXT, narrative=ANY_TEXT)
@example(name=HARD[0], title=HARD[1], narrative=HARD[2])
@example(name=HARD[3], title=HARD[4], narrative=HARD[5])
@example(name=HARD[6], title=HARD[7], narrative=HARD[8])
@example(name=HARD[9], title=HARD[10], narrative=HARD[1])
@example(name="\x00", title="\x00", narrative="\x00")
def test_any_name_title_and_narrative_survive(
    name: str, title: str, narrative: str, seed: Any, achievement: Achievement
) -> None:
    of = dataclasses.replace(achievement, title=title, criteria=narrative, description=narrative)
    award = _issue(seed, of, name, title)
    issuer = load_issuer()
    signed, register = award.credential, AwardRegister(issuer)
    subject = signed["credentialSubject"]
    # A name is cleaned before it is signed (badges/names.py); what authors write is signed to the letter.
    assert subject["identifier"][0]["identityHash"] == (clean_name(name) or "Participant") == award.recipient_name
    assert (subject["achievement"]["name"], subject["achievement"]["criteria"]["narrative"]) == (title, narrative)
    text, token = award.credential_text, issuer.make_token(signed)
    png = bake_png(bytes(award.badge.image_png), text, f"{signed['id']}assertion.json")
    for content in (text.encode(), json.dumps(signed, ensure_ascii=False).encode(), token.encode(), png):
        verdict = verify_file(content, register, NOW)
        assert (verdict.state, verdict.code) == (State.VALID, "valid")
        assert verdict.facts is not None
        assert verdict.facts.recipient_name == award.recipient_name[:200]
    assert verify_file(bake_svg(bytes(award.badge.image_svg), text), register, NOW).state == State.VALID
    # The same, by a library nobody here wrote.
    integrity, jwt = (
        key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for key in (issuer.keys.current("ed25519"), issuer.keys.current("p256"))
    )
    outside = OB3LdpVerifier(integrity).verify(extract_png_outside(png, keyword=ITXT_KEYWORD_OB3))
    assert outside.achievement.name == title
    assert OB3Verifier(jwt).verify(token).achievement.criteria_narrative == narrative
