"""Secrets of the portal, made at first start: files readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def ensure_secret_file(path: Path, content: str) -> str:
    """Return the secret in `path`, writing `content` there if there is none yet; two processes get the same one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(content, encoding="ascii")
        os.link(draft, path)  # atomic, and refuses to replace a secret that another process has just made
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")


def ensure_secret_key(folder: Path) -> str:
    """Django's SECRET_KEY: 50 random bytes in base64."""
    path = folder / "django"
    return path.read_text(encoding="ascii") if path.exists() else ensure_secret_file(path, secrets.token_urlsafe(50))


def ensure_openid_key(folder: Path) -> str:
    """The RSA key (PEM, 2048 bits) that signs the Hub's OpenID tokens."""
    path = folder / "openid.pem"
    if path.exists():
        return path.read_text(encoding="ascii")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ensure_secret_file(path, pem.decode("ascii"))
