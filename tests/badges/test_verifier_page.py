"""/verifier/ as anyone uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from badges.verify import MAX_FILE_BYTES

AwardTo = Callable[..., Any]


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice", display_name="Alice Martin"))


def _drop(client: Any, content: bytes, name: str = "badge.json") -> Any:
    return client.post("/verifier/", {"file": SimpleUploadedFile(name, content)})


def test_the_page_opens_for_anyone(db: None, visitor: Any) -> None:
    assert visitor.get("/verifier/").status_code == 200


def test_a_code_leads_to_its_page(award: Any, visitor: Any) -> None:
    typed = award.check_code.replace("-", " ").lower()
    response = visitor.post("/verifier/", {"code": typed})
    assert (response.status_code, response["Location"]) == (302, award.get_absolute_url())


@pytest.mark.parametrize(("code", "status"), [("", 400), ("AAAA", 400), ("0000-0000-0000", 404), ("x" * 41, 400)])
def test_a_wrong_code_gets_a_sentence(award: Any, visitor: Any, code: str, status: int) -> None:
    response = visitor.post("/verifier/", {"code": code})
    assert response.status_code == status
    assert 'class="field-error"' in response.content.decode()


def test_a_dropped_file_is_verified(award: Any, visitor: Any, signed_in: Any) -> None:
    png = signed_in(award.recipient).get(award.get_absolute_url() + "badge.png").content
    for content, name in [(award.credential_text.encode(), "badge.json"), (png, "badge.png")]:
        text = _drop(visitor, content, name).content.decode()
        assert 'data-state="valid"' in text
        assert "Alice Martin" in text
        assert award.get_absolute_url() in text


def test_a_changed_file_is_refused_and_its_claims_are_marked_as_such(award: Any, visitor: Any) -> None:
    document = award.credential
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory"
    text = _drop(visitor, json.dumps(document).encode()).content.decode()
    assert 'data-state="invalid"' in text
    assert 'data-code="altered"' in text
    assert "sans que rien ne le prouve" in text
    assert award.get_absolute_url() not in text


def test_a_file_of_another_issuer_is_never_valid(award: Any, visitor: Any) -> None:
    document = award.credential
    document["issuer"]["id"] = "did:web:ailleurs.example"
    text = _drop(visitor, json.dumps(document).encode()).content.decode()
    assert 'data-state="unverifiable"' in text
    assert "Signature non vérifiable ici" in text


@pytest.mark.parametrize("content", [b"", b"bonjour", b"\x89PNG\r\n\x1a\n\0\0", b"%PDF-1.7", b"{}"])
def test_what_is_no_badge_gets_a_sentence(award: Any, visitor: Any, content: bytes) -> None:
    response = _drop(visitor, content)
    assert response.status_code == 200
    assert 'data-state="unreadable"' in response.content.decode()


def test_a_file_a_little_too_large_is_refused(award: Any, visitor: Any) -> None:
    text = _drop(visitor, b"x" * (MAX_FILE_BYTES + 1)).content.decode()
    assert 'data-code="file-too-large"' in text


def test_a_huge_upload_is_refused_before_it_is_read(award: Any) -> None:
    class Unread:
        def read(self, *_args: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    client = Client()
    response = client.post(
        "/verifier/",
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(100 << 20),
        **{"wsgi.input": Unread()},
    )
    assert response.status_code == 413
    assert 'data-code="file-too-large"' in response.content.decode()


def test_it_needs_no_token_and_keeps_nothing(award: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    assert _drop(client, award.credential_text.encode()).status_code == 200
    assert not client.session.keys()
