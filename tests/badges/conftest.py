"""Fixtures of the badge tests: a drawing, an achievement, awards under a real (https) and a loopback address."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from badges.credential import Achievement, Particulars, Profile, Result, make_credential
from badges.did import make_did
from badges.keys import KeyRing, ensure_keys
from tests.badges.outside.portal import Portal, running_portal
from tests.badges.sample import make_achievement

PUBLIC_URL = "https://pupitre.example.org"
SVG = (
    b'<?xml version="1.0"?><!-- drawn for tests --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
    b'<circle cx="5" cy="5" r="4" fill="teal"/></svg>'
)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal in a process of its own, with awards in it, for verifiers that fetch over HTTP."""
    with running_portal(tmp_path_factory.mktemp("portal") / "state") as running:
        yield running


@pytest.fixture
def achievement() -> Achievement:
    return make_achievement(
        SVG,
    )


@pytest.fixture
def results() -> list[Result]:
    return [Result("m1", "Les unités", 6.5, 8.0), Result("m2", "Les mesures", 8.0, 8.0)]


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return ensure_keys(tmp_path / "keys")


@pytest.fixture
def profile() -> Profile:
    return Profile(make_did(PUBLIC_URL), "Lycée d’essai", PUBLIC_URL, "badges@example.org")


@pytest.fixture
def make_document(profile: Profile, achievement: Achievement, results: list[Result]) -> Callable[..., dict[str, Any]]:
    """make_document(**particulars): an unsigned credential."""

    def make(*, of: Achievement = achievement, **changes: Any) -> dict[str, Any]:
        moment = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
        values: dict[str, Any] = {
            "id": f"{PUBLIC_URL}/badges/7K3M-9QXT-4D8E/",
            "subject_id": "urn:uuid:8c1e1c1a-3c55-4d8e-9a52-0f6d6f6d2c11",
            "recipient_name": "Zoé <'&\">",
            "session": "petit-parcours",
            "issued_at": moment,
            "started_at": moment,
            "results": results,
            "evidence": ["sha256:" + "0" * 64],
            "status_list": f"{PUBLIC_URL}/badges/etat/1",
            "status_index": 77_001,
        }
        particulars = Particulars(**(values | changes))
        return make_credential(profile, of, f"{PUBLIC_URL}/badges/modele/{'a' * 32}", particulars)

    return make


@pytest.fixture
def public_site(settings: Any, tmp_path: Path) -> Any:
    """The portal at a real address, with keys of its own."""
    settings.ENVIRONMENT = dataclasses.replace(
        settings.ENVIRONMENT, public_url=PUBLIC_URL, issuer_name="Lycée d’essai", state_dir=tmp_path
    )
    return settings


@pytest.fixture
def local_site(settings: Any, tmp_path: Path) -> Any:
    """The portal on this machine only."""
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, state_dir=tmp_path)
    return settings


@pytest.fixture
def award_to(achievement: Achievement, results: list[Result]) -> Callable[..., Any]:
    """award_to(alice): her award, as the end of a course makes it."""

    def give(person: Any, **changes: Any) -> Any:
        from badges.awards import ensure_award

        values: dict[str, Any] = {
            "achievement": achievement,
            "session": "essai",
            "results": results,
            "evidence": ["sha256:" + "0" * 64],
            "started_at": datetime(2026, 10, 1, 8, 0, tzinfo=UTC),
        }
        return ensure_award(recipient=person, **(values | changes))

    return give
