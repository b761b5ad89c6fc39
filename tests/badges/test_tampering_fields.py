"""Every member of a full award, and every byte of its files: changed, it is refused, by us and by a library nobody here wrote."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError

from badges.artwork import render_png
from badges.baking import bake_png, bake_svg
from badges.credential import Alignment, Particulars, Profile, Result, make_credential
from badges.did import make_did
from badges.keys import Key, KeyRing, ensure_keys
from badges.proof import add_proof
from badges.vcjwt import make_token
from badges.verify import Registered, State, verify_file
from tests.badges.conftest import PUBLIC_URL, SVG
from tests.badges.sample import make_achievement

MOMENT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
Step = str | int
Document = dict[str, Any]


def make_full() -> Document:
    """A credential with every member that we can issue."""
    profile = Profile(
        make_did(PUBLIC_URL),
        "Lycée d’essai",
        PUBLIC_URL,
        "badges@example.org",
        {"description": "Lycée polyvalent", "phone": "+33 1 02 03 04 05", "official": "Camille Martin"},
    )
    achievement = make_achievement(
        SVG,
        alignment=(Alignment("MA2", "Exploiter une fonction", "Programme de seconde", "https://www.example.org/p"),),
    )
    particulars = Particulars(
        id=f"{PUBLIC_URL}/badges/7K3M-9QXT-4D8E/",
        subject_id="urn:uuid:8c1e1c1a-3c55-4d8e-9a52-0f6d6f6d2c11",
        recipient_name="Zoé",
        session="été",
        issued_at=MOMENT,
        started_at=MOMENT,
        results=[Result("m1", "Les unités", 6.5, 8.0)],
        evidence=["sha256:" + "0" * 64],
        status_list=f"{PUBLIC_URL}/badges/etat/1",
        status_index=77_001,
    )
    document = make_credential(profile, achievement, f"{PUBLIC_URL}/badges/modele/{'a' * 32}", particulars)
    return document | {"validUntil": "2036-01-01T00:00:00Z"}


def find_leaves(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from find_leaves(item, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from find_leaves(item, (*path, number))
    else:
        yield path


def find_members(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every member and every item, whole objects too."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*path, name)
        yield from find_members(item, (*path, name))


PROOF_LEAVES = [("proof", name) for name in ("type", "cryptosuite", "created", "verificationMethod", "proofPurpose")]
LEAVES = [*find_leaves(make_full()), *PROOF_LEAVES, ("proof", "proofValue")]
MEMBERS = [*find_members(make_full()), *PROOF_LEAVES, ("proof", "proofValue"), ("proof",)]


CREATOR = ("credentialSubject", "achievement", "creator")
SAID_TWICE = {("issuer", "name"), ("issuer", "url"), *((*CREATOR, name) for name in ("type", "name", "url"))}
"""The issuer is the achievement's creator: Data Integrity signs the graph, where saying it once or twice is the same."""


def _name(path: tuple[Step, ...]) -> str:
    return ".".join(map(str, path))


class Register:
    """An issuer's register that holds one award."""

    issuer_id = make_did(PUBLIC_URL)

    def __init__(self, ring: KeyRing, credential: Document) -> None:
        self.ring = ring
        self.award = Registered(
            credential=copy.deepcopy(credential),
            check_code="7K3M-9QXT-4D8E",
            revoked_at=None,
            is_demonstration=False,
            image_png=render_png(SVG),
            image_svg=SVG,
        )

    def find_key(self, kid: str) -> Key | None:
        return self.ring.find(kid)

    def find_award(self, credential_id: str) -> Registered | None:
        return self.award if credential_id == self.award.credential["id"] else None


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    folder: Path = tmp_path_factory.mktemp("keys")
    return ensure_keys(folder)


@pytest.fixture(scope="module")
def signed(keys: KeyRing) -> Document:
    key: Any = keys.current("ed25519")
    return add_proof(make_full(), key.private, f"{Register.issuer_id}#{key.kid}", MOMENT)


@pytest.fixture(scope="module")
def register(keys: KeyRing, signed: Document) -> Register:
    return Register(keys, signed)


@pytest.fixture(scope="module")
def outside(keys: KeyRing) -> Callable[[Document], None]:
    """openbadgeslib's verifier, given our key."""
    public = keys.current("ed25519").private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verify(document: Document) -> None:
        # A verifier that pins a key pins its controller; dates and status are another test's.
        OB3LdpVerifier(pem).verify(copy.deepcopy(document))

    return verify


def test_unchanged_it_is_accepted(signed: Document, register: Register, outside: Callable[[Document], None]) -> None:
    assert verify_file(json.dumps(signed).encode(), register, NOW).state == State.VALID
    outside(signed)


@pytest.mark.parametrize("path", LEAVES, ids=_name)
def test_a_field_changed_by_one_character_is_refused(
    path: tuple[Step, ...], signed: Document, register: Register, outside: Callable[[Document], None]
) -> None:
    changed = copy.deepcopy(signed)
    value = _get(changed, path[:-1])
    old = value[path[-1]]
    value[path[-1]] = (not old) if isinstance(old, bool) else old[:-1] + chr(ord(old[-1]) ^ 1)
    _refused(changed, register)
    with pytest.raises(OB3VerificationError):
        outside(changed)


@pytest.mark.parametrize("path", MEMBERS, ids=_name)
def test_a_member_taken_away_is_refused(
    path: tuple[Step, ...], signed: Document, register: Register, outside: Callable[[Document], None]
) -> None:
    changed = copy.deepcopy(signed)
    del _get(changed, path[:-1])[path[-1]]
    _refused(changed, register)
    if path in SAID_TWICE:
        outside(changed)
        return
    with pytest.raises(OB3VerificationError):
        outside(changed)


@pytest.mark.parametrize("value", [None, [], {}, 0, 1.5, True, "", "é", ["x"], {"id": "x"}, [[[]]]], ids=repr)
@pytest.mark.parametrize("path", [path for path in MEMBERS if len(path) < 3], ids=_name)
def test_a_member_of_another_shape_is_refused_with_a_sentence(
    path: tuple[Step, ...], value: Any, signed: Document, register: Register
) -> None:
    changed = copy.deepcopy(signed)
    _get(changed, path[:-1])[path[-1]] = value
    _refused(changed, register)


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_a_byte_changed_anywhere_in_a_file_is_refused(
    form: str, signed: Document, register: Register, keys: KeyRing
) -> None:
    key: Any = keys.current("p256")
    text = json.dumps(signed)
    content = {
        "json": text.encode(),
        "jwt": make_token(signed, key.private, f"{PUBLIC_URL}/badges/keys/{key.kid}").encode("ascii"),
        "png": bake_png(register.award.image_png, text, f"{signed['id']}assertion.json"),
        "svg": bake_svg(SVG, text),
    }[form]
    assert verify_file(content, register, NOW).state == State.VALID
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        verdict = verify_file(bytes(changed), register, NOW)
        around = content[max(0, position - 20) : position + 20]
        assert verdict.state not in (State.VALID, State.DEMONSTRATION), (position, around)
        assert verdict.sentence.endswith("."), verdict


def _get(document: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def _refused(document: Document, register: Register) -> None:
    verdict = verify_file(json.dumps(document).encode(), register, NOW)
    assert verdict.state in (State.INVALID, State.UNREADABLE, State.UNVERIFIABLE), verdict
    assert verdict.sentence.endswith(".")
    assert verdict.check_code == ""
