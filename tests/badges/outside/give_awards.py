"""Run once before the portal: prepare its database and its pages' files, and give the awards that outside verifiers will ask about.

Keys: `ed25519-1` and `p256-1` are retired (compromised), `ed25519-2` was replaced and stays valid, `ed25519-3` and `p256-2` sign.
Prints one JSON object: kind of award -> check code.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from badges.awards import Alignment, Result, ensure_award, revoke_award  # noqa: E402
from badges.issuer import load_issuer  # noqa: E402
from badges.keys import add_key, retire_key  # noqa: E402
from hub.portal.accounts.models import User  # noqa: E402
from hub.portal.management.commands.prepare import UNUSED_FILES  # noqa: E402
from tests.badges.sample import make_achievement  # noqa: E402

PEOPLE = {"old": "Ana", "good": "Zoé <'&\">", "other": "Bob", "revoked": "Chloé", "private": "Denis"}
SVG = Path(__file__).with_name("badge.svg").read_bytes()


def main() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNUSED_FILES)
    achievement = make_achievement(
        SVG,
        course_title="Python en quatre heures",
        alignment=[
            Alignment(
                "MA2-fonction",
                "Exploiter une fonction",
                "Programme de mathématiques de seconde",
                "https://www.education.example/programme",
            )
        ],
    )
    folder = load_issuer().keys_dir
    for kid in ("ed25519-1", "p256-1"):
        retire_key(folder, kid)
    codes = {}
    for kind, name in PEOPLE.items():
        person = User.objects.create_user(f"{kind}@example.org", None, display_name=name)
        award = ensure_award(
            recipient=person,
            achievement=achievement,
            session="essai",
            results=[Result("m1", "Les unités", 6.5, 8.0), Result("m2", "Les mesures", 8.0, 8.0)],
            evidence=["sha256:" + "0" * 64],
            started_at=datetime(2026, 10, 1, 8, 0, tzinfo=UTC),
        )
        if kind == "old":
            add_key(folder, "ed25519")
        if kind != "private":
            award.published_at = award.openbadges2_at = timezone.now()
            award.shows_marks = True  # the signed files then hold the marks
            award.save(update_fields=["published_at", "openbadges2_at", "shows_marks"])
        if kind == "revoked":
            revoke_award(award, reason="Erreur", by=None)
        codes[kind] = award.check_code
    json.dump(codes, sys.stdout)


if __name__ == "__main__":
    main()
