"""Pages of awards: who sees what, and what the page says of the proof."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from badges.baking import extract_png, extract_svg
from badges.models import Award

FILES = ["badge.json", "badge.jwt", "badge.png", "badge.svg"]
AwardTo = Callable[..., Any]


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice", display_name="Alice Martin"))


def _text(response: Any) -> str:
    return str(response.content.decode())


def _state(response: Any) -> str:
    return _text(response).split('data-state="')[1].split('"')[0]


def _publish(client: Any, award: Any, **choices: str) -> Any:
    return client.post(f"{award.get_absolute_url()}publication/", choices)


def test_a_visitor_with_the_code_sees_whose_it_is_and_that_it_holds(award: Any, visitor: Any) -> None:
    response = visitor.get(award.get_absolute_url())
    assert response.status_code == 200
    assert _state(response) == "valid"
    text = _text(response)
    assert "Alice Martin" in text
    assert "Petit parcours d’été" in text
    assert "Les unités" not in text  # no mark
    assert "badge.json" not in text  # no file
    assert "og:title" not in text
    assert response["X-Robots-Tag"] == "noindex"


def test_a_demonstration_says_so(local_site: Any, make_user: Any, award_to: AwardTo, visitor: Any) -> None:
    award = award_to(make_user("alice"))
    assert _state(visitor.get(award.get_absolute_url())) == "demonstration"


def test_the_page_really_checks_the_proof(award: Any, visitor: Any) -> None:
    credential = award.credential
    credential["proof"]["created"] = "2020-01-01T00:00:00Z"
    Award.objects.update(credential_text=json.dumps(credential))
    response = visitor.get(award.get_absolute_url())
    assert _state(response) == "invalid"
    assert 'data-code="proof-mismatch"' in _text(response)


def test_a_code_typed_in_the_address_is_forgiven(award: Any, visitor: Any) -> None:
    response = visitor.get(f"/badges/{award.check_code.lower()}/")
    assert (response.status_code, response["Location"]) == (301, award.get_absolute_url())


@pytest.mark.parametrize("path", ["", "badge.json", "badge.png", "attestation.pdf", "assertion.json"])
def test_an_unknown_code_is_not_found(
    public_site: Any, visitor: Any, make_user: Any, signed_in: Any, path: str
) -> None:
    assert signed_in(make_user("bob")).get(f"/badges/0000-0000-0000/{path}").status_code == 404


# person -> (files, attestation, publish, revoke): status codes while the award is private
ROLES: dict[str, tuple[int, int, int, int]] = {
    "visitor": (403, 302, 302, 302),
    "holder": (200, 200, 302, 403),
    "other": (403, 403, 403, 403),
    "author": (403, 403, 403, 403),
    "manager": (403, 403, 403, 302),
    "admin": (403, 403, 403, 302),
    "inactive manager": (403, 302, 302, 302),
}


@pytest.mark.parametrize("role", ROLES)
def test_rights_of_each_role(award: Any, make_user: Any, signed_in: Any, visitor: Any, role: str) -> None:
    people: dict[str, Callable[[], Any]] = {
        "visitor": lambda: visitor,
        "holder": lambda: signed_in(award.recipient),
        "other": lambda: signed_in(make_user("bob")),
        "author": lambda: signed_in(make_user("berthe", is_author=True)),
        "manager": lambda: signed_in(make_user("denis", is_manager=True)),
        "admin": lambda: signed_in(make_user("root", is_superuser=True)),
        "inactive manager": lambda: signed_in(make_user("didier", is_manager=True)),
    }
    client = people[role]()
    if role == "inactive manager":
        from hub.portal.accounts.models import User

        User.objects.filter(email="didier@example.org").update(is_active=False)
    files, attestation, publish, revoke = ROLES[role]
    address = award.get_absolute_url()
    assert {client.get(address + name).status_code for name in FILES} == {files}
    assert client.get(address + "attestation.pdf").status_code == attestation
    assert client.get(address, headers={"accept": "application/vc+ld+json"}).status_code == files
    assert client.get(address + "assertion.json").status_code == 403
    assert client.get(address).status_code == 200
    published = client.post(address + "publication/", {"published": "on"})
    assert published.status_code == publish
    assert (Award.objects.get().published_at is not None) == (role == "holder")
    revoked = client.post(address + "revocation/", {"reason": "Erreur de saisie"})
    assert revoked.status_code == revoke
    assert (Award.objects.get().revoked_at is not None) == (role in ("manager", "admin"))


def test_published_award_is_open_to_whoever_has_the_address(award: Any, signed_in: Any, visitor: Any) -> None:
    holder = signed_in(award.recipient)
    assert _publish(holder, award, published="on", shows_marks="on").status_code == 302
    address = award.get_absolute_url()
    text = _text(visitor.get(address))
    assert 'property="og:title" content="Petit parcours d’été"' in text
    assert "https://pupitre.example.org/badges/modele/" in text
    assert "linkedin" not in text.lower()
    assert "linkedin.com/profile/add" in _text(holder.get(address))
    credential = visitor.get(address + "badge.json")
    assert credential["Content-Type"] == "application/vc+ld+json"
    assert credential["Access-Control-Allow-Origin"] == "*"
    assert credential.json() == award.credential
    for path in (f"/badges/{award.check_code}.json", address):
        assert visitor.get(path, headers={"accept": "application/ld+json"}).json() == award.credential
    assert json.loads(extract_png(visitor.get(address + "badge.png").content)) == award.credential
    svg = visitor.get(address + "badge.svg")
    assert json.loads(extract_svg(svg.content)) == award.credential
    assert "sandbox" in svg["Content-Security-Policy"]
    assert visitor.get(address + "badge.jwt")["Content-Type"].startswith("text/plain")
    _publish(holder, award)
    assert visitor.get(address + "badge.json").status_code == 403


def test_marks_are_shown_only_when_the_holder_agrees(award: Any, signed_in: Any, visitor: Any) -> None:
    holder = signed_in(award.recipient)
    assert "Les unités" in _text(holder.get(award.get_absolute_url()))
    assert "6,5 / 8" in _text(holder.get(award.get_absolute_url()))
    _publish(holder, award, shows_marks="on")
    assert "Les unités" in _text(visitor.get(award.get_absolute_url()))
    assert visitor.get(award.get_absolute_url() + "badge.json").status_code == 403


def test_signed_files_hold_the_marks_only_when_the_holder_agrees(award: Any, signed_in: Any, visitor: Any) -> None:
    holder = signed_in(award.recipient)
    _publish(holder, award, published="on")
    address = award.get_absolute_url()
    hidden = visitor.get(address + "badge.json").json()
    assert holder.get(address + "badge.json").json() == hidden  # one address, one content
    assert hidden["id"] == award.credential["id"]
    assert {result["status"] for result in hidden["credentialSubject"]["result"]} == {"Completed"}
    png, svg = visitor.get(address + "badge.png").content, visitor.get(address + "badge.svg").content
    token = visitor.get(address + "badge.jwt").content
    assert json.loads(extract_png(png)) == json.loads(extract_svg(svg)) == hidden
    for content in (json.dumps(hidden).encode(), png, svg, token):
        text = (
            content.decode("latin-1")
            if content is not token
            else base64.urlsafe_b64decode(token.split(b".")[1] + b"==").decode()
        )
        assert '"6.5"' not in text
        assert "RawScore" not in text
        assert _state(visitor.post("/verifier/", {"file": SimpleUploadedFile("badge", content)})) == "valid"
    hidden["credentialSubject"]["result"][0]["value"] = "8"
    forged = SimpleUploadedFile("badge.json", json.dumps(hidden).encode())
    assert _state(visitor.post("/verifier/", {"file": forged})) == "invalid"
    _publish(holder, award, published="on", shows_marks="on")
    assert visitor.get(address + "badge.json").json() == award.credential


def test_a_browser_gets_the_page_and_a_wallet_the_document(award: Any, signed_in: Any) -> None:
    holder = signed_in(award.recipient)
    address = award.get_absolute_url()
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for accept, kind in [
        (browser, "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/vc+ld+json"),
        ("application/vc", "application/vc+ld+json"),
        ("application/json, text/html;q=0.5", "application/vc+ld+json"),
    ]:
        response = holder.get(address, headers={"accept": accept})
        assert response["Content-Type"].split(";")[0] == kind, accept
        assert "Accept" in response["Vary"]


def test_a_manager_revokes_with_a_reason_and_the_page_says_so(
    award: Any, make_user: Any, signed_in: Any, visitor: Any
) -> None:
    manager = signed_in(make_user("denis", is_manager=True))
    address = award.get_absolute_url()
    assert "Révoquer définitivement" in _text(manager.get(address))
    assert "Révoquer définitivement" not in _text(signed_in(award.recipient).get(address))
    empty = manager.post(address + "revocation/", {"reason": "  "})
    assert empty.status_code == 400
    assert Award.objects.get().revoked_at is None
    manager.post(address + "revocation/", {"reason": "Travail copié"})
    page = visitor.get(address)
    assert _state(page) == "revoked"
    assert "Travail copié" not in _text(page)  # the reason is not the visitor's business
    assert "Travail copié" in _text(signed_in(award.recipient).get(address))
    again = manager.post(address + "revocation/", {"reason": "Encore"})
    assert again.status_code == 400
    assert "déjà révoqué" in _text(again)
    assert signed_in(award.recipient).get(address + "attestation.pdf").status_code == 410


def test_the_holder_downloads_the_attestation(award: Any, signed_in: Any) -> None:
    response = signed_in(award.recipient).get(award.get_absolute_url() + "attestation.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-1.7")
    assert f"attestation-{award.check_code}.pdf" in response["Content-Disposition"]


def test_my_badges_are_mine_alone(award: Any, make_user: Any, signed_in: Any, visitor: Any) -> None:
    assert visitor.get("/badges/").status_code == 302
    assert award.check_code in _text(signed_in(award.recipient).get("/badges/"))
    empty = _text(signed_in(make_user("bob")).get("/badges/"))
    assert award.check_code not in empty
    assert "Pas encore de badge" in empty


def test_names_and_titles_are_escaped_everywhere(
    public_site: Any, make_user: Any, award_to: AwardTo, achievement: Any, signed_in: Any
) -> None:
    import dataclasses

    evil = "<'&\"><script>alert(1)</script>"
    chevron = make_user("chevron", display_name=evil)
    award = award_to(
        chevron, achievement=dataclasses.replace(achievement, title=evil, description=evil, criteria=evil, course=evil)
    )
    client = signed_in(chevron)
    _publish(client, award, published="on", shows_marks="on")
    upload = SimpleUploadedFile("b.json", award.credential_text.encode())
    for response in (
        client.get(award.get_absolute_url()),
        client.get("/badges/"),
        client.get(award.badge.get_absolute_url()),
        client.post("/verifier/", {"file": upload}),
    ):
        assert response.status_code == 200
        assert "<script>alert" not in _text(response)
        assert "&lt;script&gt;alert" in _text(response)
