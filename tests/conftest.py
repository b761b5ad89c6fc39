"""Fixtures shared by every test: the cast (docs: alice, bob, claire, denis, root, chevron, and a visitor).

The state folder of a test run is temporary: Django's settings read `PUPITRE_STATE_DIR` when they are imported.
Models are imported inside the fixtures: pure tests (sandbox, pupitre, graders.engine) load no Django.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["PUPITRE_STATE_DIR"] = tempfile.mkdtemp(prefix="pupitre-test-")
(Path(os.environ["PUPITRE_STATE_DIR"]) / "static").mkdir()  # WhiteNoise warns of a missing folder
for name in [n for n in os.environ if n.startswith("PUPITRE_") and n != "PUPITRE_STATE_DIR"]:
    del os.environ[name]
# Named here and not in pyproject.toml, where pytest-django would load the settings before the lines above.
os.environ["DJANGO_SETTINGS_MODULE"] = "hub.portal.settings"
# Tests never speak to a Hub by accident: without these, hub.portal.hubapi asks nobody.
for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN"):
    os.environ.pop(name, None)


def pytest_configure() -> None:
    """Load the settings now that the environment is set; pytest-django then sets Django up."""
    from django.conf import settings

    assert settings.ENVIRONMENT.state_dir == Path(os.environ["PUPITRE_STATE_DIR"])


PASSWORD = "un-mot-de-passe-solide"
ESCAPED_NAME = "<'&\">"
COURSE: dict[str, Any] = {
    "slug": "petit-parcours",
    "version": "1",
    "title": "Petit parcours",
    "abstract": "Un module pour essayer.",
    "license": "CC BY 4.0",
    "duration": {"distance_minutes": 30},
    "modules": [
        {
            "slug": "m1",
            "title": "Premier module",
            "minutes": 30,
            "assignment": "m1/exercices.ipynb",
            "points": {"auto": 2, "manual": 2},
        }
    ],
    "completion": {"percent": 60},
}


@pytest.fixture(autouse=True)
def _quick_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that use the database: cheap passwords, messages kept in memory, no manifest of static files."""
    if not {"db", "transactional_db", "live_server"} & set(request.fixturenames):
        yield
        return
    settings = request.getfixturevalue("settings")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    from django.core.cache import cache

    cache.clear()  # rate limits of the test before
    yield


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """make_user("alice", **fields): an approved person with a confirmed address, alice@example.org."""

    def make(name: str, **fields: Any) -> Any:
        from allauth.account.models import EmailAddress
        from django.utils import timezone

        from hub.portal.accounts.models import User

        fields.setdefault("display_name", name.capitalize())
        fields.setdefault("approved_at", timezone.now())
        user = User.objects.create_user(f"{name}@example.org", PASSWORD, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    return make


@pytest.fixture
def make_session(db: None) -> Callable[..., Any]:
    """make_session("essai", **fields): an open session of a course of one module with an assignment."""

    def make(slug: str, **fields: Any) -> Any:
        from hub.portal.catalogue.models import Course, CourseSession, CourseVersion

        course, _created = Course.objects.get_or_create(slug="petit-parcours")
        version, _created = CourseVersion.objects.get_or_create(
            course=course,
            version="1",
            defaults={"content": dict(COURSE), "digest": "0" * 64, "is_current": True, "title": COURSE["title"]},
        )
        fields.setdefault("state", "open")
        fields.setdefault("title", f"Session {slug}")
        fields.setdefault("course_version", version)
        return CourseSession.objects.create(slug=slug, **fields)

    return make


@pytest.fixture
def essai(make_session: Callable[..., Any]) -> Any:
    """The session alice studies and claire teaches."""
    return make_session("essai")


@pytest.fixture
def autre(make_session: Callable[..., Any]) -> Any:
    """Another session of the same course: bob's."""
    return make_session("autre")


def _enrol(user: Any, session: Any) -> Any:
    from hub.portal.learning.models import Enrolment

    Enrolment.objects.create(session=session, learner=user)
    return user


@pytest.fixture
def alice(make_user: Callable[..., Any], essai: Any) -> Any:
    """A learner enrolled in `essai`."""
    return _enrol(make_user("alice"), essai)


@pytest.fixture
def bob(make_user: Callable[..., Any], autre: Any) -> Any:
    """A learner enrolled in `autre`."""
    return _enrol(make_user("bob"), autre)


@pytest.fixture
def claire(make_user: Callable[..., Any], essai: Any) -> Any:
    """Trainer and grader of `essai`."""
    from hub.portal.catalogue.models import SessionRole

    user = make_user("claire")
    for role in ("trainer", "grader"):
        SessionRole.objects.create(session=essai, user=user, role=role)
    return user


@pytest.fixture
def denis(make_user: Callable[..., Any]) -> Any:
    """A manager."""
    return make_user("denis", is_manager=True)


@pytest.fixture
def root(make_user: Callable[..., Any]) -> Any:
    """The administrator."""
    return make_user("root", is_superuser=True)


@pytest.fixture
def chevron(make_user: Callable[..., Any], essai: Any) -> Any:
    """A learner of `essai` whose name must be escaped everywhere."""
    return _enrol(make_user("chevron", display_name=ESCAPED_NAME), essai)


@pytest.fixture
def visitor(db: None) -> Any:
    """A browser that is not signed in."""
    from django.test import Client

    return Client()


@pytest.fixture
def signed_in(db: None) -> Callable[[Any], Any]:
    """signed_in(alice): her browser, signed in, with a session the Hub would see as live."""

    def sign_in(user: Any) -> Any:
        from allauth.usersessions.models import UserSession
        from django.test import Client

        client = Client()
        client.force_login(user, backend="hub.portal.accounts.signin.SignInBackend")
        UserSession.objects.create(user=user, ip="127.0.0.1", user_agent="test", session_key=client.session.session_key)
        return client

    return sign_in
