"""2,000 awards as the end of a course makes them: document, both proofs, place in the revocation list, row and message's task
in the database (SQLite, synced to the disk); then the same with the picture that its holder downloads. Two processes, as
many as there are workers. Beside openbadgeslib signing the like (both proofs, then the picture), which stores nothing.

`python -m bench.badges prepare|issue|stock|check …` is one of its processes: it prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.results import Notes, Row

ROOT = Path(__file__).parents[1]
AWARDS = 2_000
PROCESSES = 2
STOCK_AWARDS = 200
KEPT = 200
"""Single times that are kept per row: every tenth of 2,000; rates are of all."""
MODULES = 8
SVG = ROOT / "courses" / "python-maths-physique" / "badge.svg"
PATIENCE_S = 600


def measure() -> tuple[list[Row], Notes]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        state = Path(name)
        (state / "static").mkdir()
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("PUPITRE_", "JUPYTERHUB_"))}
        variables |= {
            "PUPITRE_STATE_DIR": name,
            "PUPITRE_PUBLIC_URL": "https://pupitre.example.org",
            "PUPITRE_JUPYTER_URL": "https://jupyter.example.org",
            "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
        }
        raster_s = run(variables, "prepare")[0][0]
        plain_s, plain_cpu_s, plain = issue(variables, "none")
        pictured_s, pictured_cpu_s, pictured = issue(variables, "png")
        (signing_ms, picture_ms), (list_s, verifying_s) = run(variables, "stock")[0], run(variables, "check")[0]
    rate, pictured_rate = AWARDS / plain_s, AWARDS / pictured_s
    each = len(plain) // KEPT
    return [
        Row("award, both proofs, status, stored", tuple(plain[::each]), tuple(signing_ms), "ms"),
        Row("the same, and its PNG", tuple(pictured[::each]), tuple(picture_ms), "ms"),
    ], {
        f"awards per second, {PROCESSES} processes, {AWARDS} awards": f"{rate:.0f}",
        "the same with the PNG": f"{pictured_rate:.0f}",
        "an award's processor time (the rate above falls when others use the cores)": plain_cpu_s,
        "the same with the PNG (processor time)": pictured_cpu_s,
        "a badge's picture drawn, once for all its awards": raster_s,
        f"revocation list of {2 * AWARDS} awards, half of them revoked": list_s,
        "a baked PNG verified at /verifier/": verifying_s,
    }


def issue(variables: dict[str, str], picture: str) -> tuple[float, float, list[float]]:
    """Seconds until the last award; processor seconds of one; each award's own milliseconds."""
    began = time.monotonic()
    step = AWARDS // PROCESSES
    parts = run(variables, *(("issue", str(first), str(first + step), picture) for first in range(0, AWARDS, step)))
    elapsed_s = time.monotonic() - began - min(part["ready_s"] for part in parts)
    award_ms = [round(value, 2) for part in parts for value in part["award_ms"]]
    return elapsed_s, sum(part["cpu_s"] for part in parts) / len(award_ms), award_ms


def run(variables: dict[str, str], *jobs: str | tuple[str, ...]) -> list[Any]:
    """Run jobs at once, each in a process of its own; what each printed last, as JSON."""
    log = Path(variables["PUPITRE_STATE_DIR"]) / "bench.log"
    with log.open("ab") as errors:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.badges", *([job] if isinstance(job, str) else job)],
                cwd=ROOT,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            for job in jobs
        ]
        said = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    assert not any(process.returncode for process in processes), log.read_text(encoding="utf-8")[-3000:]
    return [json.loads(text.splitlines()[-1]) for text in said]


# --- in a process of its own, with Django: imports wait for its settings --------------------------------------------------
def prepare() -> list[float]:
    """Database, people, keys; how long drawing the picture takes, s."""
    from django.core.management import call_command

    from badges.artwork import render_png
    from badges.issuer import load_issuer
    from hub.portal.accounts.models import User

    call_command("migrate", verbosity=0, interactive=False)
    User.objects.bulk_create(
        User(email=f"p{number}@example.org", display_name=f"Zoé Éluard {number}") for number in range(AWARDS)
    )
    assert load_issuer().keys.keys
    began = time.monotonic()
    render_png(SVG.read_bytes())
    return [time.monotonic() - began]


def issue_some(first: int, last: int, picture: str) -> dict[str, Any]:
    """What a worker does for each person, and for « png » what the portal does when they download the badge."""
    from badges.awards import ensure_award
    from badges.baking import bake_png
    from badges.issuer import load_issuer
    from badges.publication import shown_credential
    from hub.portal.accounts.models import User

    achievement, results = describe(f"python/{picture}")
    people = list(User.objects.order_by("pk")[first:last])
    issuer = load_issuer()
    ready_s, cpu_s = time.monotonic() - STARTED, time.process_time()
    award_ms = []
    for person in people:
        began = time.monotonic()
        award = ensure_award(
            recipient=person,
            achievement=achievement,
            session="bench",
            results=results,
            evidence=["sha256:" + "0" * 64],
            started_at=datetime(2026, 10, 1, tzinfo=UTC),
        )
        document = award.credential
        if picture == "png":
            document = shown_credential(issuer, award)
            bake_png(bytes(award.badge.image_png), json.dumps(document), f"{award.credential['id']}assertion.json")
        issuer.make_token(document)
        award_ms.append((time.monotonic() - began) * 1e3)
    return {"ready_s": ready_s, "cpu_s": time.process_time() - cpu_s, "award_ms": award_ms}


def check_some() -> list[float]:
    """How long the revocation list takes, half of the awards revoked, and a file's verification (median), s."""
    from django.test import RequestFactory
    from django.utils import timezone

    from badges.baking import bake_png
    from badges.issuer import load_issuer
    from badges.models import Award
    from badges.register import AwardRegister
    from badges.verify import State, verify_file
    from badges.views.identity import status_list

    Award.objects.filter(achievement_key="python/none").update(revoked_at=timezone.now())
    began = time.monotonic()
    assert status_list(RequestFactory().get("/badges/etat/1"), 1).status_code == 200
    list_s = time.monotonic() - began
    register = AwardRegister(load_issuer())
    times_s = []
    for award in Award.objects.filter(achievement_key="python/png").select_related("badge")[:50]:
        png = bake_png(bytes(award.badge.image_png), award.credential_text)
        began = time.monotonic()
        assert verify_file(png, register, timezone.now()).state == State.VALID
        times_s.append(time.monotonic() - began)
    return [list_s, statistics.median(times_s)]


def sign_with_stock() -> list[list[float]]:
    """openbadgeslib: both proofs of an award as full as its model allows, then the same with the picture; ms."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from openbadgeslib import ob3

    from badges.artwork import render_png

    achievement, results = describe("python/stock")
    png = render_png(achievement.image_svg)
    integrity_pem, token_pem = (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
    )
    url, did = "https://pupitre.example.org", "did:web:pupitre.example.org"
    integrity, token = ob3.OB3LdpSigner(integrity_pem, f"{did}#ed25519-1"), ob3.OB3Signer(token_pem, "ES256")
    signing_ms: list[float] = []
    picture_ms: list[float] = []
    for number in range(STOCK_AWARDS):
        began = time.monotonic()
        credential = ob3.OpenBadgeCredential(
            issuer=ob3.Issuer(did, "Lycée d’essai", url),
            recipient_id=f"urn:uuid:8c1e1c1a-3c55-4d8e-9a52-{number:012d}",
            achievement=ob3.Achievement(
                f"{url}/badges/modele/1",
                achievement.title,
                achievement.description,
                achievement.criteria,
                f"{url}/badges/modele/1/image.png",
                achievement_type="Course",
                result_descriptions=[
                    ob3.ResultDescription(
                        f"{url}/badges/modele/1#{result.module}", result.title, "RawScore", value_min="0", value_max="8"
                    )
                    for result in results
                ],
            ),
            id=f"{url}/badges/{number}/",
            evidence=[ob3.Evidence(narrative="sha256:" + "0" * 64)],
            credential_status=[ob3.status_entry(f"{url}/badges/etat/1", "revocation", number)],
            identifiers=[ob3.IdentityObject(f"Zoé Éluard {number}", "name", hashed=False)],
            results=[
                ob3.Result("6.5", result_description=f"{url}/badges/modele/1#{result.module}") for result in results
            ],
        )
        integrity.sign(credential)
        token.sign(credential)
        signing_ms.append((time.monotonic() - began) * 1e3)
        began = time.monotonic()
        integrity.sign_into_png(credential, png)
        token.sign(credential)
        picture_ms.append((time.monotonic() - began) * 1e3)
    return [[round(value, 2) for value in values] for values in (signing_ms, picture_ms)]


def describe(key: str) -> tuple[Any, list[Any]]:
    """A badge of the real course's size, and what a person obtained in each module."""
    from badges.awards import Achievement, Result

    achievement = Achievement(
        key=key,
        course="python",
        version="1.0",
        title="Python pour les enseignants de mathématiques et physique-chimie",
        description="Mesurer, tracer, modéliser.",
        criteria="Obtenir 60 % des points.",
        image_svg=SVG.read_bytes(),
        hours=12,
    )
    return achievement, [Result(f"m{number}", f"Module {number}", 6.5, 8.0) for number in range(1, MODULES + 1)]


def main(job: str, *values: str) -> None:
    import django

    django.setup()
    done: Any
    if job == "issue":
        done = issue_some(int(values[0]), int(values[1]), values[2])
    else:
        done = {"prepare": prepare, "stock": sign_with_stock, "check": check_some}[job]()
    print(json.dumps(done))


if __name__ == "__main__":
    STARTED = time.monotonic()
    main(*sys.argv[1:])
