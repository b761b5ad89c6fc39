"""Messages: written with what they tell, sent once, not lost when a worker is killed or a mail server fails."""

from __future__ import annotations

import os
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.core.mail.message import BadHeaderError
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from graders.signals import worker_round
from hub.portal.outbox import sending
from hub.portal.outbox.backend import read_message
from hub.portal.outbox.models import OutgoingMessage

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def outbox(_quick_settings: None, settings: Any) -> None:
    """The portal's own backend; what it sends ends in memory."""
    settings.EMAIL_BACKEND = "hub.portal.outbox.backend.OutboxBackend"
    settings.OUTBOX_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def _tell(subject: str = "Bonjour") -> OutgoingMessage:
    send_mail(subject, "Texte « é »", None, ["alice@example.org"])
    return OutgoingMessage.objects.get(content__subject=subject)


def test_a_message_is_a_row_until_it_is_sent() -> None:
    row = _tell()
    assert mail.outbox == []
    assert DBTaskResult.objects.get().args_kwargs == {"args": [row.pk], "kwargs": {}}
    assert sending.send(row.pk) == "sent"
    (sent,) = mail.outbox
    assert (sent.subject, sent.body, sent.to) == ("Bonjour", "Texte « é »", ["alice@example.org"])
    assert sent.extra_headers["Message-ID"] == row.message_id
    assert not OutgoingMessage.objects.exists()
    assert sending.send(row.pk) == "skipped"
    assert len(mail.outbox) == 1


def test_what_did_not_happen_is_not_told() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        _tell()
        raise RuntimeError
    assert not OutgoingMessage.objects.exists() and not DBTaskResult.objects.exists()


def test_every_part_of_a_message_survives() -> None:
    message = EmailMultiAlternatives(
        "Sujet", "Texte", "de@example.org", ["a@example.org"], bcc=["b@example.org"], cc=["c@example.org"],
        reply_to=["r@example.org"], headers={"X-Essai": "1"},
    )  # fmt: skip
    message.attach_alternative("<p>Texte</p>", "text/html")
    message.send()
    again = read_message(OutgoingMessage.objects.get())
    for name in ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to"):
        assert getattr(again, name) == getattr(message, name)
    assert again.extra_headers["X-Essai"] == "1"
    assert [tuple(alternative) for alternative in again.alternatives] == [("<p>Texte</p>", "text/html")]


def test_a_header_of_two_lines_is_refused_at_once() -> None:
    with pytest.raises(BadHeaderError):
        send_mail("Un\nBcc: tous@example.org", "x", None, ["alice@example.org"])
    with pytest.raises(ValueError, match="no file"):
        EmailMessage("x", "x", None, ["alice@example.org"], attachments=[("a.txt", "x", "text/plain")]).send()
    assert not OutgoingMessage.objects.exists()


def test_a_message_being_sent_is_nobody_elses() -> None:
    row = _tell()
    OutgoingMessage.objects.update(claimed_until=timezone.now() + timedelta(seconds=60))
    assert sending.send(row.pk) == "skipped"
    assert mail.outbox == []


def test_a_message_whose_process_died_is_queued_again_once() -> None:
    row = _tell()
    past = timezone.now() - timedelta(seconds=1)
    OutgoingMessage.objects.update(claimed_until=past, due_at=past, tries=1)
    DBTaskResult.objects.all().delete()
    for _worker in range(2):  # each worker says that it lives
        worker_round.send_robust(sender=None)
    assert DBTaskResult.objects.count() == 1
    assert sending.send(row.pk) == "sent"


def test_a_mail_server_that_fails_is_asked_again_then_given_up(monkeypatch: Any, caplog: Any) -> None:
    class Failing:
        def send_messages(self, _messages: Any) -> int:
            raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(sending, "get_connection", lambda _backend: Failing())
    row = _tell()
    waits = []
    for _try in range(10):
        OutgoingMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert sending.queue_again() == 1
        assert sending.send(row.pk) == "waiting"
        row.refresh_from_db()
        waits.append(round((row.due_at - timezone.now()).total_seconds()))
    assert waits[:4] == [60, 120, 240, 480] and waits[-1] == 7200
    assert "SMTPServerDisconnected: gone" in row.error
    OutgoingMessage.objects.update(created_at=timezone.now() - timedelta(days=4))
    assert sending.send(row.pk) == "waiting"
    row.refresh_from_db()
    assert row.failed_at is not None and "given up" in caplog.text
    OutgoingMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert sending.queue_again() == 0 and sending.send(row.pk) == "skipped"


class _MailServer(socketserver.ThreadingTCPServer):
    """A mail server on 127.0.0.1 that takes every message; `killed` is called in the middle of the first one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.reached = threading.Event()
        self.resume = threading.Event()
        super().__init__(("127.0.0.1", 0), _MailSession)


class _MailSession(socketserver.StreamRequestHandler):
    server: _MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 essai\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.server.reached.set()
                self.server.resume.wait(30)
                self.wfile.write(b"354 ok\r\n")
                lines = []
                while (text := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(text)
                if text:
                    self.server.taken.append(b"".join(lines))
            elif line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 ok\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail_server() -> Iterator[_MailServer]:
    with _MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


PRELUDE = "import django; django.setup()\nfrom hub.portal.outbox.models import OutgoingMessage\nfrom hub.portal.outbox import sending\n"


def test_a_worker_killed_while_it_sends_loses_nothing(mail_server: _MailServer, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "PUPITRE_STATE_DIR": str(tmp_path / "state"),
        "PUPITRE_EMAIL_URL": f"smtp://127.0.0.1:{mail_server.server_address[1]}",
        "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / "state" / "static").mkdir(parents=True)

    def run(program: str) -> str:
        command = [sys.executable, "-c", PRELUDE + program]
        done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.strip()

    run("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    run("from django.core.mail import send_mail; send_mail('Badge', 'Bravo', None, ['alice@example.org'])")
    send = "print(sending.send(OutgoingMessage.objects.get().pk))"
    worker = subprocess.Popen([sys.executable, "-c", PRELUDE + send], env=variables, cwd=ROOT)
    assert mail_server.reached.wait(60)
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    mail_server.resume.set()
    assert mail_server.taken == []
    assert run(send) == "skipped"  # the dead process's claim still holds
    run(
        "from django.utils import timezone; OutgoingMessage.objects.update(claimed_until=timezone.now(), due_at=timezone.now())"
    )
    assert run("print(sending.queue_again())") == "1"
    assert run(send) == "sent"
    assert len(mail_server.taken) == 1 and b"Bravo" in mail_server.taken[0]
    assert run("print(OutgoingMessage.objects.count())") == "0"
    shutil.rmtree(tmp_path / "state")


def test_a_person_is_written_to_in_the_language_they_read(make_user: Any, client: Any, settings: Any) -> None:
    from hub.portal.accounts.approval import approve
    from hub.portal.accounts.models import User

    settings.EMAIL_BACKEND = settings.OUTBOX_BACKEND
    denis = make_user("denis", is_manager=True)
    for name, language, words in [("erin", "en", "your account is open"), ("alice", "fr", "votre compte est ouvert")]:
        person = make_user(name, approved_at=None)
        client.cookies["django_language"] = language
        client.get("/")
        client.post("/compte/login/", {"login": person.email, "password": "un-mot-de-passe-solide"})
        assert User.objects.get(pk=person.pk).language == language
        assert approve(User.objects.get(pk=person.pk), denis)
        assert mail.outbox[-1].subject == f"Pupitre : {words}"
        client.logout()
