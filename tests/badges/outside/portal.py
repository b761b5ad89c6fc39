"""A portal in a process of its own, as in production (uvicorn, `hub.portal.serve`), with awards in it: what outside verifiers ask.

It answers on 127.0.0.1 for `https://pupitre.example.org`, which the verifiers' HTTP clients map to it (`Portal.map`).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.badges.outside.issuer import write_profile
from tests.installation import ROOT, free_port

PUBLIC_URL = "https://pupitre.example.org"
DID = "did:web:pupitre.example.org"
PATIENCE_S = 60


class NotFound(Exception):
    """The portal does not answer this address with a document."""


@dataclass(frozen=True)
class Portal:
    """A running portal; `awards` gives the check code of each kind of award."""

    address: str
    """Where it answers: http://127.0.0.1:PORT."""
    state_dir: Path
    awards: dict[str, str]

    @property
    def map(self) -> dict[str, str]:
        return {PUBLIC_URL: self.address}

    @property
    def keys_dir(self) -> Path:
        return self.state_dir / "keys" / "badges"

    def get(self, url: str, **headers: str) -> httpx.Response:
        """The answer to a public address, over HTTP."""
        assert url.startswith(f"{PUBLIC_URL}/"), url
        return httpx.get(self.address + url.removeprefix(PUBLIC_URL), headers=headers, trust_env=False, timeout=20)

    def download(self, url: str, *_args: Any, **_kwargs: Any) -> bytes:
        """An outside verifier's client."""
        answer = self.get(url)
        if answer.status_code != 200:
            raise NotFound(f"{url}: {answer.status_code}")
        return answer.content

    def award_url(self, kind: str) -> str:
        return f"{PUBLIC_URL}/badges/{self.awards[kind]}/"


@contextlib.contextmanager
def running_portal(state: Path) -> Iterator[Portal]:
    """Migrate, give the awards of `give_awards.py`, serve, stop."""
    port = free_port()
    for folder in ("static", "run/doors", "log"):
        (state / folder).mkdir(parents=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PUPITRE_", "JUPYTERHUB_"))}
    profile = write_profile(state / "profile", DID, Path(__file__).with_name("badge.svg").read_bytes())
    variables |= {
        "PUPITRE_ISSUER_PROFILE": str(profile),
        "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
        "PYTHONPATH": str(ROOT),
        "PUPITRE_STATE_DIR": str(state),
        "PUPITRE_RUN_DIR": str(state / "run"),
        "PUPITRE_PUBLIC_URL": PUBLIC_URL,
        "PUPITRE_JUPYTER_URL": "https://jupyter.example.org",
        "PUPITRE_PORT": str(port),
        "PUPITRE_ISSUER_NAME": "Lycée d’essai",
        "PUPITRE_ISSUER_EMAIL": "badges@example.org",
    }
    given = subprocess.run(
        [sys.executable, Path(__file__).with_name("give_awards.py")],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    log = state / "log" / "portal.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.portal.serve"], cwd=ROOT, env=variables, stdout=output, stderr=output
        )
    try:
        portal = Portal(f"http://127.0.0.1:{port + 1}", state, json.loads(given.stdout.splitlines()[-1]))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")
            with contextlib.suppress(httpx.TransportError):
                if portal.get(f"{PUBLIC_URL}/.well-known/did.json").status_code == 200:
                    break
            time.sleep(0.1)
        yield portal
    finally:
        process.terminate()
        process.wait(timeout=20)
