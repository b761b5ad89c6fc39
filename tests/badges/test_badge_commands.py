"""`pupitre verifybadge`, `revokebadge`, `rotatekey`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges.issuer import load_issuer
from badges.models import Award

AwardTo = Callable[..., Any]


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice"))


def _call(*words: str) -> str:
    output = io.StringIO()
    call_command(*words, stdout=output)
    return output.getvalue()


def test_verifybadge_says_what_is_true_and_fails_otherwise(award: Any, tmp_path: Path) -> None:
    good = tmp_path / "bon.json"
    good.write_text(award.credential_text)
    assert "[valid]" in _call("verifybadge", str(good))
    bad = tmp_path / "faux.json"
    bad.write_text(award.credential_text.replace("Petit", "Grand"))
    output = io.StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verifybadge", "--json", str(good), str(bad), stdout=output)
    assert stop.value.code == 1
    assert [json.loads(line)["code"] for line in output.getvalue().splitlines()] == ["valid", "altered"]
    with pytest.raises(CommandError, match=r"absent\.json"):
        _call("verifybadge", str(tmp_path / "absent.json"))


def test_revokebadge(award: Any) -> None:
    assert award.check_code in _call("revokebadge", award.check_code.lower(), "--reason", "Erreur")
    assert Award.objects.get().revocation_reason == "Erreur"
    with pytest.raises(CommandError, match="déjà révoqué"):
        _call("revokebadge", award.check_code, "--reason", "Erreur")
    with pytest.raises(CommandError, match="Aucun badge"):
        _call("revokebadge", "rien", "--reason", "Erreur")


def test_rotatekey_adds_keys(award: Any) -> None:
    assert "ed25519-2" in _call("rotatekey")
    assert "ed25519-3" in _call("rotatekey", "--kind", "ed25519")
    assert [key.kid for key in load_issuer().keys.keys] == ["ed25519-1", "ed25519-2", "ed25519-3", "p256-1", "p256-2"]


def test_a_retired_key_makes_old_files_fall_and_awards_are_signed_anew(
    award: Any, visitor: Any, tmp_path: Path
) -> None:
    old = tmp_path / "ancien.json"
    old.write_text(award.credential_text)
    assert "signés à nouveau : 1" in _call("rotatekey", "--retire", "ed25519-1")
    assert "signés à nouveau : 0" in _call("rotatekey", "--retire", "ed25519-1")
    again = Award.objects.get()
    assert again.credential["proof"]["verificationMethod"].endswith("#ed25519-2")
    assert 'data-state="valid"' in visitor.get(award.get_absolute_url()).content.decode()
    with pytest.raises(SystemExit):
        _call("verifybadge", str(old))
    new = tmp_path / "nouveau.json"
    new.write_text(again.credential_text)
    assert "[valid]" in _call("verifybadge", str(new))
    with pytest.raises(CommandError, match="Aucune clé"):
        _call("rotatekey", "--retire", "ed25519-7")
