"""What a completed course puts into its badge: capacities of the programme, course version, fingerprint of the attempts."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from badges.models import Award
from graders.models import Attempt
from hub.portal.learning import awarding
from hub.portal.learning.evidence import digest_attempts
from hub.portal.learning.models import Completion

pytestmark = pytest.mark.django_db

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="teal"/></svg>'


def test_the_fingerprint_is_what_the_reference_says(essai, alice, make_attempt):
    assert digest_attempts(alice, "essai", ["m1", "m2"]) == ""
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 0, "ex-1-2-test": 0})
    best = make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 1, "ex-1-2-test": 0})
    row = {
        "assignment": "m1",
        "client_id": str(best.client_id),
        "files": best.content,
        "number": 2,
        "version": best.version.digest,
    }
    text = json.dumps([row], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert digest_attempts(alice, "essai", ["m1", "m2"]) == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert digest_attempts(alice, "essai", ["m2"]) == ""
    assert digest_attempts(alice, "autre", ["m1"]) == ""


def test_a_changed_file_changes_the_fingerprint(essai, alice, make_attempt):
    attempt = make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    before = digest_attempts(alice, "essai", ["m1"])
    Attempt.objects.filter(pk=attempt.pk).update(content={"exercices.ipynb": "f" * 64})
    assert digest_attempts(alice, "essai", ["m1"]) != before


def test_the_badge_names_course_capacities_and_attempts(essai, alice, make_attempt, enrolment_of):
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    version = essai.course_version
    version.programme = {
        "programme": "2019",
        "title": "Programmes de 2019",
        "capacities": [
            {
                "code": "MA2-1",
                "title": "Écrire une fonction",
                "subject": "mathématiques",
                "level": "seconde",
                "source": "BO",
                "seen": True,
            }
        ],
    }
    for module in version.content["modules"]:
        module["capacities"] = ["MA2-1"]  # in both modules: named once
    version.save(update_fields=["programme", "content"])
    awarding.deliver(Completion.objects.create(enrolment=enrolment_of(alice, essai)))
    award = Award.objects.get()
    document = award.credential
    assert document["credentialSubject"]["achievement"]["alignment"] == [
        {
            "type": ["Alignment"],
            "targetCode": "MA2-1",
            "targetName": "Écrire une fonction",
            "targetFramework": "Programmes de 2019 (mathématiques, seconde)",
            "targetUrl": "http://127.0.0.1:8000/parcours/petit/#MA2-1",
        }
    ]
    course, fingerprint = document["evidence"]
    assert course["id"] == "http://127.0.0.1:8000/parcours/petit/"
    assert course["name"] == f"Parcours « {version.file.title} », version {version.version}"
    assert fingerprint["narrative"] == digest_attempts(alice, "essai", ["m1", "m2"])
    assert award.badge.course_title == version.file.title


def test_demonstrations_give_way_to_real_badges_once_the_address_is_real(
    essai, alice, make_attempt, enrolment_of, settings, tmp_path
):
    from django.core.management import CommandError, call_command

    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, state_dir=tmp_path)
    completion = Completion.objects.create(enrolment=enrolment_of(alice, essai))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.portal.catalogue.storage.load_image", lambda _version, _image: SVG)
        awarding.deliver(completion)
        demonstration = Award.objects.get()
        assert demonstration.is_demonstration
        with pytest.raises(CommandError, match="adresse publique"):
            call_command("awardbadges", "--renew-demonstrations")
        assert Award.objects.get() == demonstration
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, public_url="https://pupitre.example.org")
        call_command("awardbadges")
        assert Award.objects.get() == demonstration  # nothing is dropped unless asked for
        for _time in range(2):
            call_command("awardbadges", "--renew-demonstrations")
            award = Award.objects.get()
            assert not award.is_demonstration and award.check_code != demonstration.check_code
            assert award.issuer_id == "did:web:pupitre.example.org"
        assert Award.objects.get() == award
