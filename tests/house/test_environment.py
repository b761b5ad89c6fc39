"""`hub.environment`: defaults, errors that name the variable, secrets from files, round trip to a child process."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hub.environment import Environment, EnvironmentVariableError, load_environment


def test_defaults_are_two_hosts_on_one_port() -> None:
    environment = load_environment({})
    assert environment.public_url == "http://127.0.0.1:8000"
    assert environment.jupyter_url == "http://localhost:8000"
    assert environment.portal_host != environment.jupyter_host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65533"),
        ("PUBLIC_URL", "127.0.0.1:8000"),
        ("PUBLIC_URL", "https://a.example/path"),
        ("ISOLATION", "docker"),
        ("LEARNER_NETWORK", "maybe"),
        ("LEARNER_MEMORY_BYTES", "-1"),
        ("HOME_BYTES", "2 Gio"),
        ("SIGNUP", "anyone"),
        ("WORKERS", "0"),
        ("PROXIES", "-1"),
        ("ISSUER_PROFILE", "/nowhere/emetteur.yml"),
        ("VERIFIER_HOSTS", "http://badges.example.org"),
        ("VERIFIER_HOSTS", "localhost"),
        ("DATABASE_URL", "mysql://x"),
    ],
)
def test_error_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=f"PUPITRE_{name}"):
        load_environment({f"PUPITRE_{name}": value})


def test_one_host_for_both_is_refused() -> None:
    with pytest.raises(EnvironmentVariableError, match="PUPITRE_JUPYTER_URL"):
        load_environment({"PUPITRE_PUBLIC_URL": "https://a.example", "PUPITRE_JUPYTER_URL": "https://a.example:8443"})


def test_secret_from_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    assert load_environment({"PUPITRE_OIDC_CLIENT_SECRET_FILE": str(secret)}).oidc_client_secret == "s3cret"
    with pytest.raises(EnvironmentVariableError, match="PUPITRE_OIDC_CLIENT_SECRET_FILE"):
        load_environment({"PUPITRE_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "absent")})


def test_a_child_process_reads_the_same_environment(tmp_path: Path) -> None:
    given = {
        "PUPITRE_PORT": "8123",
        "PUPITRE_STATE_DIR": str(tmp_path),
        "PUPITRE_SIGNUP_DOMAINS": "ac-test.fr, @example.org",
        "PUPITRE_LEARNER_NETWORK": "on",
    }
    environment = load_environment(given)
    assert environment.signup_domains == ("ac-test.fr", "example.org")
    assert load_environment(environment.as_variables()) == environment


def test_every_variable_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    missing = [f.name for f in fields(Environment) if f"`PUPITRE_{f.name.upper()}`" not in page]
    assert not missing
