"""Awards: exactly once, whatever happens (docs/reference/behaviour-award.md, cases B1 to B9)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from badges.awards import revoke_award
from badges.errors import ArtworkRefused, IssuerChanged, RevocationRefused
from badges.issuer import load_issuer
from badges.keys import ensure_keys
from badges.models import Award, Badge
from badges.names import clean_name
from badges.proof import check_proof

ROOT = Path(__file__).resolve().parents[2]
AwardTo = Callable[..., Any]


def test_b1_an_award_is_signed_and_announced_once(
    public_site: Any, make_user: Any, award_to: AwardTo, django_capture_on_commit_callbacks: Any
) -> None:
    alice = make_user("alice")
    award = award_to(alice)
    issuer = load_issuer()
    key: Any = issuer.keys.current("ed25519")
    check_proof(award.credential, key.private.public_key())
    assert award.credential["id"] == f"https://pupitre.example.org/badges/{award.check_code}/"
    assert award.credential["issuer"]["id"] == "did:web:pupitre.example.org"
    assert not award.is_demonstration
    assert award.get_absolute_url() == f"/badges/{award.check_code}/"
    award_to(alice)
    assert [message.to for message in mail.outbox] == [["alice@example.org"]]
    assert award.check_code in mail.outbox[0].body


def test_b2_asking_again_changes_nothing(public_site: Any, make_user: Any, award_to: AwardTo, achievement: Any) -> None:
    alice = make_user("alice")
    first = award_to(alice)
    again = award_to(alice, results=[], achievement=dataclasses.replace(achievement, version="2"))
    assert (again.pk, again.credential_text) == (first.pk, first.credential_text)
    assert Award.objects.count() == 1
    assert len(mail.outbox) == 1
    with pytest.raises(IntegrityError), transaction.atomic():  # the database says so, not only the code
        Award.objects.create(
            recipient=alice, badge=first.badge, achievement_key=first.achievement_key, check_code="0000-0000-0000",
            issued_at=first.issued_at, status_list=9, status_index=9,
        )  # fmt: skip


def test_b3_each_person_and_each_badge_has_its_own(
    public_site: Any, make_user: Any, award_to: AwardTo, achievement: Any
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    other = dataclasses.replace(achievement, key="petit-parcours/explorateur", title="Explorateur")
    awards = [award_to(alice), award_to(bob), award_to(alice, achievement=other)]
    assert len({award.pk for award in awards}) == 3
    assert len({award.check_code for award in awards}) == 3
    assert len({award.credential["credentialSubject"]["id"] for award in awards}) == 3
    assert len({(award.status_list, award.status_index) for award in awards}) == 3
    assert Badge.objects.count() == 2  # the picture is made once per badge, not per person


PRELUDE = """
import os, sys, json, signal, django
django.setup()
import badges.awards as awards
from badges.awards import Achievement, Result
from hub.portal.accounts.models import User
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="teal"/></svg>'
achievement = Achievement(key="c/b", course="c", version="1", title="T", description="D", criteria="C", image_svg=SVG, hours=1.0)
alice, _ = User.objects.get_or_create(email="alice@example.org", defaults={"display_name": "Alice"})
def give():
    return awards.ensure_award(recipient=alice, achievement=achievement, session="s", results=[Result("m", "M", 1, 2)], evidence=["sha256:0"])
"""


class World:
    """A state folder of its own, with a database on disk, where real processes meet."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.variables = {
            **os.environ,
            "PUPITRE_STATE_DIR": str(state),
            "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
            "PYTHONPATH": str(ROOT),
        }

    def start(self, program: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", PRELUDE + program]
        return subprocess.Popen(command, cwd=ROOT, env=self.variables, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, program: str, returncode: int = 0) -> str:
        process = self.start(program)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == returncode, errors
        return output

    def look(self) -> dict[str, Any]:
        """What is on the disk: the codes of the awards, each with a proof that holds, and the number of messages."""
        with contextlib.closing(sqlite3.connect(self.state / "portal.sqlite")) as database:
            rows = database.execute("select check_code, credential_text from badges_award").fetchall()
            (messages,) = database.execute("select count(*) from outbox_outgoingmessage").fetchone()
        key: Any = ensure_keys(self.state / "keys" / "badges").current("ed25519")
        for _code, text in rows:
            check_proof(json.loads(text), key.private.public_key())
        return {"awards": [code for code, _text in rows], "messages": messages}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated state folder where alice has an account; each test copies it."""
    state = tmp_path_factory.mktemp("migrated")
    migrate = "import django; django.setup()\nfrom django.core.management import call_command; call_command('migrate', verbosity=0)"
    command = [sys.executable, "-c", migrate + PRELUDE]
    subprocess.run(command, cwd=ROOT, env=World(state).variables, check=True, timeout=300)
    return state


@pytest.fixture
def world(migrated: Path, tmp_path: Path) -> World:
    shutil.copytree(migrated, tmp_path / "state")
    return World(tmp_path / "state")


def test_b4_processes_that_finish_together_make_one_award(world: World) -> None:
    program = "print('ready', flush=True); sys.stdin.readline(); print(give().check_code)"
    processes = [world.start(program) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    codes = {output.strip() for output, _errors in outputs}
    assert len(codes) == 1
    assert world.look() == {"awards": list(codes), "messages": 1}


KILL = "\ndef die(*args, **kwargs): os.kill(os.getpid(), signal.SIGKILL)\n"
DEATHS = {
    "before the signature": "awards._sign_award = die",
    "after the signature, before the row": "awards.Award.save = die",
    "after the row, before the commit": "awards.announce_award = die",
    "after the commit": "awards._log = type('Log', (), {'info': staticmethod(die)})",
}


@pytest.mark.parametrize("moment", DEATHS)
def test_b5_a_process_killed_anywhere_leaves_none_or_one(world: World, moment: str) -> None:
    world.run(KILL + DEATHS[moment] + "\ngive()", returncode=-signal.SIGKILL)
    between = world.look()
    expected = 1 if moment == "after the commit" else 0
    assert (len(between["awards"]), between["messages"]) == (expected, expected)
    code = world.run("print(give().check_code)").strip()
    assert world.look() == {"awards": [code], "messages": 1}
    if between["awards"]:
        assert between["awards"] == [code]


def test_b6_a_loopback_address_makes_demonstrations(local_site: Any, make_user: Any, award_to: AwardTo) -> None:
    award = award_to(make_user("alice"))
    assert award.is_demonstration
    assert award.issuer_id == "did:web:127.0.0.1%3A8000"


def test_b7_a_new_public_address_is_refused_while_real_awards_exist(
    public_site: Any, make_user: Any, award_to: AwardTo
) -> None:
    award_to(make_user("alice"))
    public_site.ENVIRONMENT = dataclasses.replace(public_site.ENVIRONMENT, public_url="https://ailleurs.example.org")
    with pytest.raises(IssuerChanged, match=r"did:web:pupitre\.example\.org"):
        award_to(make_user("bob"))
    assert Award.objects.count() == 1


def test_b7_demonstrations_do_not_bind(local_site: Any, make_user: Any, award_to: AwardTo) -> None:
    award_to(make_user("alice"))
    local_site.ENVIRONMENT = dataclasses.replace(local_site.ENVIRONMENT, public_url="https://pupitre.example.org")
    assert not award_to(make_user("bob")).is_demonstration


def test_b8_an_unusable_drawing_gives_no_award_and_leaves_nothing(
    public_site: Any, make_user: Any, award_to: AwardTo, achievement: Any
) -> None:
    bad = dataclasses.replace(achievement, image_svg=b"<svg><script/></svg>")
    with pytest.raises(ArtworkRefused):
        award_to(make_user("alice"), achievement=bad)
    assert (Award.objects.count(), Badge.objects.count(), len(mail.outbox)) == (0, 0, 0)


def test_b9_a_revocation_needs_a_reason_happens_once_and_is_told(
    public_site: Any, make_user: Any, award_to: AwardTo
) -> None:
    alice, denis = make_user("alice"), make_user("denis", is_manager=True)
    award = award_to(alice)
    for reason, code in [("", "reason-missing"), (" \n", "reason-missing"), ("x" * 501, "reason-too-long")]:
        with pytest.raises(RevocationRefused) as refusal:
            revoke_award(award, reason=reason, by=denis)
        assert refusal.value.code == code
    assert Award.objects.get().revoked_at is None
    revoked = revoke_award(award, reason="Copie\nd’un autre", by=denis)
    assert (revoked.revoked_by, revoked.revocation_reason) == (denis, "Copie d’un autre")
    with pytest.raises(RevocationRefused) as refusal:
        revoke_award(award, reason="Encore", by=denis)
    assert refusal.value.code == "already-revoked"
    assert len(mail.outbox) == 2  # the award, the revocation
    assert "Copie d’un autre" in mail.outbox[1].body
    assert award_to(alice).pk == award.pk  # and it is not given again
    assert Award.objects.get().revoked_at == revoked.revoked_at


def test_a_person_who_holds_a_badge_is_not_deleted(public_site: Any, make_user: Any, award_to: AwardTo) -> None:
    alice = make_user("alice")
    award_to(alice)
    with pytest.raises(ProtectedError):
        alice.delete()


@pytest.mark.parametrize(
    ("typed", "signed"),
    [
        ("Zoé  Martin ", "Zoé Martin"),
        ("Zoe\u0301", "Zoé"),
        ("A\u0000B\u0007\nC", "A B C"),
        ("Alice\u202eecilA", "AliceecilA"),
        ("<'&\">", "<'&\">"),
        ("\u202e", ""),
        ("李 👩\u200d🔬", "李 👩\u200d🔬"),
    ],
)
def test_names_are_signed_composed_and_on_one_line(typed: str, signed: str) -> None:
    assert clean_name(typed) == signed


def test_a_person_without_a_name_still_has_a_badge(public_site: Any, make_user: Any, award_to: AwardTo) -> None:
    assert award_to(make_user("alice", display_name="\u202e")).recipient_name == "Participant"


def test_messages_are_in_the_learners_language(public_site: Any, make_user: Any, award_to: AwardTo) -> None:
    award = award_to(make_user("erin", language="en"))
    revoke_award(award, reason="Error", by=None)
    subjects = [message.subject for message in mail.outbox]
    assert subjects == ["Your badge “Petit parcours d’été”", "Your badge “Petit parcours d’été” has been revoked"]
    award_to(make_user("alice"))
    assert mail.outbox[-1].subject == "Votre badge « Petit parcours d’été »"


def test_a_title_with_a_line_break_sends_one_header(
    public_site: Any, make_user: Any, award_to: AwardTo, achievement: Any
) -> None:
    split = dataclasses.replace(achievement, title="Un\nBcc: tous@example.org")
    award_to(make_user("alice"), achievement=split)
    assert mail.outbox[0].subject == "Votre badge « Un Bcc: tous@example.org »"
    assert mail.outbox[0].recipients() == ["alice@example.org"]


def test_b7_the_start_says_that_the_address_changed(public_site: Any, make_user: Any, award_to: AwardTo) -> None:
    from django.core.checks import run_checks

    award_to(make_user("alice"))
    assert [message.id for message in run_checks(databases=["default"]) if message.id == "badges.E001"] == []
    public_site.ENVIRONMENT = dataclasses.replace(public_site.ENVIRONMENT, public_url="https://ailleurs.example.org")
    found = [message.msg for message in run_checks(databases=["default"]) if message.id == "badges.E001"]
    assert len(found) == 1
    assert "PUPITRE_PUBLIC_URL" in found[0]
