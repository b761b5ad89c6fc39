"""Keys of the issuer: made once, owner only, never replaced."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from openbadgeslib.ob3 import multikey_from_pem

from badges.did import decode_base58btc, encode_base58btc, make_did, make_did_document, make_jwk
from badges.keys import ED25519, P256, KeyRing, add_key, ensure_keys, retire_key

ROOT = Path(__file__).resolve().parents[2]


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "badges"
    first = ensure_keys(folder)
    assert [key.kid for key in first.keys] == ["ed25519-1", "p256-1"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    content = (folder / "ed25519-1.pem").read_bytes()
    ensure_keys(folder)
    assert (folder / "ed25519-1.pem").read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == ["ed25519-1.pem", "p256-1.pem"]


def test_processes_that_start_together_have_the_same_keys(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from badges.keys import ensure_keys; from badges.did import make_jwk;"
        "sys.stdin.readline(); print([make_jwk(k, k.kid)['x'] for k in ensure_keys(Path(sys.argv[1])).keys])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "keys")]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(5)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert "[" in answers.pop()


def test_a_new_key_signs_and_the_old_one_stays_published(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    assert add_key(tmp_path, ED25519).kid == "ed25519-2"
    ring = ensure_keys(tmp_path)
    assert ring.current(ED25519).kid == "ed25519-2"
    assert ring.current(P256).kid == "p256-1"
    document = make_did_document("did:web:example.org", ring)
    methods = [method["id"] for method in document["verificationMethod"]]
    assert document["assertionMethod"] == methods
    assert "did:web:example.org#ed25519-1" in methods
    assert all(isinstance(method, str) for method in document["assertionMethod"])


def test_a_retired_key_no_longer_asserts_and_another_takes_its_place(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    retire_key(tmp_path, "ed25519-1")
    ring = ensure_keys(tmp_path)
    assert ring.current(ED25519).kid == "ed25519-2"
    document = make_did_document("did:web:example.org", ring)
    assert "did:web:example.org#ed25519-1" not in document["assertionMethod"]
    assert "did:web:example.org#ed25519-1" not in [method["id"] for method in document["verificationMethod"]]
    with pytest.raises(LookupError):
        retire_key(tmp_path, "ed25519-9")


def test_public_keys_are_written_as_an_independent_library_writes_them(ring: KeyRing) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    for key in ring.keys:
        pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        ours = make_did_document("did:web:x", ring)["verificationMethod"]
        assert multikey_from_pem(pem) in [method["publicKeyMultibase"] for method in ours]
        assert "d" not in make_jwk(key, key.kid)


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://pupitre.example.org", "did:web:pupitre.example.org"),
        ("http://127.0.0.1:8000", "did:web:127.0.0.1%3A8000"),
    ],
)
def test_the_identifier_comes_from_the_address(url: str, did: str) -> None:
    assert make_did(url) == did


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\x01", b"\xff" * 34, b"hello"])
def test_base58_goes_and_comes_back(data: bytes) -> None:
    assert decode_base58btc(encode_base58btc(data)) == data


def test_what_is_not_base58_is_refused() -> None:
    for text in ("z0", "zI", "abc", "z" + "1" * 300):
        with pytest.raises(ValueError):
            decode_base58btc(text)
