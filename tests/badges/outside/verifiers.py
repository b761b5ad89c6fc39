"""Asks every verifier about every award, each in a process of its own or in its own library; nothing leaves this machine."""

from __future__ import annotations

import base64
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from openbadgeslib.baking import ITXT_KEYWORD_OB3, extract_png
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3LdpVerifier, OB3Verifier
from openbadgeslib.ob3.did import _jwk_to_pem

from badges.did import decode_base64url
from tests.badges.outside.portal import DID, PUBLIC_URL, NotFound, Portal
from tests.badges.outside.tamperings import OB2, OBL, OBL_JWT, OURS, Forms
from tests.installation import ROOT

HERE = Path(__file__).parent
OUTSIDE = ROOT / ".venv" / "outside"
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
PROFILE_SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_profile_schema.json"
Verdicts = dict[str, dict[str, str]]
"""case -> verifier -> "" when it accepts, otherwise why it does not."""


def verify_everywhere(portal: Portal, cases: Mapping[str, Forms]) -> Verdicts:
    found = _ask_node(portal, cases)
    badges2 = _ask_openbadges2(portal, cases)
    for name, forms in cases.items():
        found[name][OBL] = _refusal(functools.partial(_ask_openbadgeslib, portal, forms))
        found[name][OBL_JWT] = _refusal(functools.partial(_ask_openbadgeslib_token, portal, forms))
        found[name][OB2] = badges2[name]
        found[name][OURS] = _ask_us(portal, forms)
    return found


def load_schemas() -> dict[str, Any]:
    """1EdTech's schemas, verbatim."""
    names = {address: address.rpartition("/")[2] for address in (SCHEMA, PROFILE_SCHEMA)}
    return {address: json.loads(_installed("schemas", name).read_text()) for address, name in names.items()}


def _ask_node(portal: Portal, cases: Mapping[str, Forms]) -> Verdicts:
    given = {name: {"credential": forms.credential, "token": forms.token} for name, forms in cases.items()}
    assert (HERE / "node_modules" / ".installed").exists(), "make outside"
    return dict(
        _run(["node", str(HERE / "verify.mjs")], {"map": portal.map, "schemas": load_schemas(), "cases": given}, {})
    )


def _ask_openbadges2(portal: Portal, cases: Mapping[str, Forms]) -> dict[str, str]:
    given = {
        name: {"badge": base64.b64encode(forms.png).decode("ascii"), "email": forms.email}
        for name, forms in cases.items()
    }
    return dict(
        _run(
            [sys.executable, str(HERE / "openbadges2.py")],
            {"map": portal.map, "cases": given},
            {"PYTHONPATH": str(_installed("openbadges2"))},
        )
    )


def _ask_openbadgeslib(portal: Portal, forms: Forms) -> None:
    """The credential as its own reader takes it out of the picture; its own check of a list's proof reads JWT lists only."""
    document = extract_png(forms.png, keyword=ITXT_KEYWORD_OB3)
    OB3LdpVerifier.for_issuer_did(DID, portal.download).verify(
        document, check_status=True, verify_status_list=False, download=portal.download
    )


def _ask_openbadgeslib_token(portal: Portal, forms: Forms) -> None:
    """The key is the one that `kid` leads to on the portal; a header without it gets the key that signs."""
    kid = str(json.loads(decode_base64url(forms.token.split(".")[0])).get("kid", f"{PUBLIC_URL}/badges/keys/p256-2"))
    OB3Verifier(_jwk_to_pem(json.loads(portal.download(kid)))).verify(
        forms.token, check_status=True, verify_status_list=False, download=portal.download
    )


def _ask_us(portal: Portal, forms: Forms) -> str:
    """« Vérifier un badge », as anyone uses it: every form must be accepted."""
    files = {
        "badge.json": json.dumps(forms.credential).encode(),
        "badge.jwt": forms.token.encode("ascii"),
        "badge.png": forms.png,
        "badge.svg": forms.svg,
    }
    refusals = []
    for name, content in files.items():
        answer = httpx.post(f"{portal.address}/verifier/", files={"file": (name, content)}, trust_env=False, timeout=20)
        assert answer.status_code == 200, answer.text
        state, code = (answer.text.partition(f'data-{what}="')[2].partition('"')[0] for what in ("state", "code"))
        assert state and code
        if state != "valid":
            refusals.append(f"{name}: {code}")
    return "; ".join(refusals)


def _refusal(ask: Callable[[], None]) -> str:
    try:
        ask()
    except (LibOpenBadgesException, NotFound) as error:
        return str(error) or type(error).__name__
    return ""


def _installed(*parts: str) -> Path:
    path = OUTSIDE.joinpath(*parts)
    assert path.exists(), f"{path} is missing: make outside"
    return path


def _run(command: list[str], given: dict[str, Any], variables: dict[str, str]) -> Any:
    done = subprocess.run(
        command,
        input=json.dumps(given),
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
