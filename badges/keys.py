"""The issuer's keys: files under `state_dir/keys/badges/`, readable by their owner alone, made at first start.

Two kinds: Ed25519 signs Data Integrity proofs, P-256 signs VC-JWT (`ES256`). A file is `<kid>.pem`, its kid the kind and a
number; the highest number that is not retired signs; older keys stay published for ever, so that old awards stay valid.
A retired key (`<kid>.retired` beside it: compromised) is no longer published: what it signed no longer holds.
Laws: a key file is never overwritten; two processes that start together end with the same keys.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = "ed25519"
P256 = "p256"
KINDS = (ED25519, P256)
PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey
_NAME = re.compile(r"(?P<kind>ed25519|p256)-(?P<number>[1-9][0-9]{0,5})\.pem")


@dataclass(frozen=True)
class Key:
    """One key pair; `kid` names it in the DID document and in JOSE headers."""

    kid: str
    kind: str
    number: int
    private: PrivateKey
    retired: bool


@dataclass(frozen=True)
class KeyRing:
    """Every key of the issuer, oldest first."""

    keys: tuple[Key, ...]

    def current(self, kind: str) -> Key:
        """The key that signs now."""
        usable = [key for key in self.keys if key.kind == kind and not key.retired]
        if not usable:
            raise LookupError(f"no usable {kind} key: run `pupitre rotatekey`")
        return usable[-1]

    def find(self, kid: str) -> Key | None:
        return next((key for key in self.keys if key.kid == kid), None)


def ensure_keys(folder: Path) -> KeyRing:
    """Load the keys of `folder`, making the first of each kind if there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kinds = {key.kind for key in _load_keys(folder)}
    for kind in KINDS:
        if kind not in kinds:
            _write_key(folder, kind, 1)
    return KeyRing(tuple(_load_keys(folder)))


def add_key(folder: Path, kind: str) -> Key:
    """Add a key, which signs from now on; the others stay valid."""
    ring = ensure_keys(folder)
    number = max(key.number for key in ring.keys if key.kind == kind) + 1
    while not _write_key(folder, kind, number):
        number += 1
    added = KeyRing(tuple(_load_keys(folder))).find(f"{kind}-{number}")
    assert added is not None  # noqa: S101 - just written
    return added


def retire_key(folder: Path, kid: str) -> None:
    """Mark a key as compromised; add another one first when it is the one that signs."""
    ring = ensure_keys(folder)
    key = ring.find(kid)
    if key is None:
        raise LookupError(f"no key named {kid}")
    if not any(other.kind == key.kind and not other.retired and other.kid != kid for other in ring.keys):
        add_key(folder, key.kind)
    (folder / f"{kid}.retired").touch(mode=0o600)


def _load_keys(folder: Path) -> Iterator[Key]:
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    for match, path in sorted(found, key=lambda item: (item[0]["kind"], int(item[0]["number"]))):
        kid = path.stem
        yield Key(kid, match["kind"], int(match["number"]), _read_key(path), (folder / f"{kid}.retired").exists())


@lru_cache(maxsize=64)  # a key file never changes
def _read_key(path: Path) -> PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path.name}: neither an Ed25519 nor a P-256 key")
    return key


def _write_key(folder: Path, kind: str, number: int) -> bool:
    """Write a new key; False when that number is taken (another process was first)."""
    key: PrivateKey = Ed25519PrivateKey.generate() if kind == ED25519 else ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    draft = folder / f".{kind}-{number}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())  # a lost key would orphan every award it signs
        os.link(draft, folder / f"{kind}-{number}.pem")  # atomic, and refuses to replace
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
