"""pytest plugin for nbgrader's own exchange tests: a real portal on a free port, and our exchange towards its door.

Loaded with `-p` in a process of its own (test_nbgrader_exchange_suite.py). Only the Hub is absent: one token belongs to one
person, who is trainer of and enrolled in the three sessions that nbgrader's tests name.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

WORLD = Path(tempfile.mkdtemp(prefix="pupitre-nbgrader-"))
SESSIONS = ("abc101", "abc102", "xyz200")
OPERATIONS = (
    "list",
    "fetch_assignment",
    "fetch_feedback",
    "submit",
    "release_assignment",
    "release_feedback",
    "collect",
)
TOKEN = "0" * 32

os.environ["PUPITRE_STATE_DIR"] = str(WORLD / "state")
os.environ["DJANGO_SETTINGS_MODULE"] = "hub.portal.settings"


def pytest_configure(config: pytest.Config) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _make_people()
    _serve()
    _configure_nbgrader()


def _make_people() -> None:
    from django.utils import timezone
    from nbgrader.utils import get_username

    from hub.portal import hubapi
    from hub.portal.accounts.models import User
    from hub.portal.catalogue.models import Course, CourseSession, CourseVersion, SessionRole
    from hub.portal.learning.models import Enrolment

    person = User.objects.create_user(
        "claire@example.org", hub_name=get_username(), display_name="Claire", approved_at=timezone.now()
    )
    course = Course.objects.create(slug="nbgrader")
    version = CourseVersion.objects.create(
        course=course, version="1", title="nbgrader", content={"modules": []}, digest="0"
    )
    for slug in SESSIONS:
        session = CourseSession.objects.create(slug=slug, course_version=version, title=slug, state="open")
        SessionRole.objects.create(session=session, user=person, role="trainer")
        Enrolment.objects.create(session=session, learner=person)
    owner = hubapi.Owner(person.hub_name, hubapi.ACCESS_SCOPES)
    hubapi.get_token_owner = lambda token: owner if token == TOKEN else None


def _serve() -> None:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class QuietHandler(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["PUPITRE_DOOR_URL"] = f"http://127.0.0.1:{server.server_port}"
    (WORLD / "token").write_text(TOKEN)
    os.environ["PUPITRE_DOOR_TOKEN_FILE"] = str(WORLD / "token")


def _configure_nbgrader() -> None:
    names = {operation: f"graders.exchange.Exchange{operation.title().replace('_', '')}" for operation in OPERATIONS}
    (WORLD / "config").mkdir()
    config = {"ExchangeFactory": {"exchange": "graders.exchange.Exchange", **names}}
    (WORLD / "config" / "nbgrader_config.json").write_text(json.dumps(config))
    os.environ["JUPYTER_CONFIG_PATH"] = str(WORLD / "config")


@pytest.fixture(autouse=True)
def empty_portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins with nothing released and nothing submitted, and a data folder of its own."""
    from graders.models import Assignment, AssignmentVersion, Attempt

    monkeypatch.setenv("JUPYTER_DATA_DIR", tempfile.mkdtemp(dir=WORLD))
    Assignment.objects.update(current=None)
    Attempt.objects.all().delete()
    AssignmentVersion.objects.all().delete()
    Assignment.objects.all().delete()
    yield
