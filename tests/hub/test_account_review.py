"""Managers' pages about people."""

from __future__ import annotations

import pytest
from django.core import mail

from hub.portal.accounts.models import User

pytestmark = pytest.mark.django_db
LIST = "/gestion/comptes/"


@pytest.fixture
def nadia(make_user):
    return make_user("nadia", approved_at=None)


@pytest.fixture
def office(denis, signed_in):
    return signed_in(denis)


def test_a_request_is_approved_once_and_the_person_told_once(office, nadia, make_user):
    other = make_user("omar", approved_at=None)
    assert "nadia@example.org" in office.get(LIST).content.decode()
    office.post(LIST + "approuver/", {"person": [nadia.pk, other.pk]})
    office.post(LIST + "approuver/", {"person": [nadia.pk, other.pk]})
    assert User.objects.filter(approved_at=None).count() == 0
    assert sorted(message.to[0] for message in mail.outbox) == ["nadia@example.org", "omar@example.org"]
    assert "nadia@example.org" not in office.get(LIST).content.decode()


@pytest.mark.parametrize("people", [[], ["x"], ["-1"], ["999999"], ["9" * 40], ["١"]])
def test_nothing_ticked_or_nonsense_changes_nothing(office, nadia, people):
    page = office.post(LIST + "approuver/", {"person": people}, follow=True)
    assert "rien n’a changé" in page.content.decode()
    assert not User.objects.get(pk=nadia.pk).is_approved


def test_a_request_without_confirmed_address_is_not_in_the_list(office, nadia):
    nadia.emailaddress_set.update(verified=False)
    assert "nadia@example.org" not in office.get(LIST).content.decode()
    assert "adresse non confirmée" in office.get(LIST + "?vue=toutes").content.decode()


def test_refusing_needs_a_reason_and_tells_it(office, nadia, signed_in):
    empty = office.post(f"{LIST}{nadia.pk}/refuser/", {"reason": " "})
    assert empty.status_code == 400 and not mail.outbox
    office.post(f"{LIST}{nadia.pk}/refuser/", {"reason": "Adresse <inconnue> de l’établissement."})
    nadia.refresh_from_db()
    assert nadia.refused_at and "Adresse <inconnue> de" in mail.outbox[-1].body
    waiting = signed_in(nadia).get("/compte/attente/").content.decode()
    assert "a été refusée" in waiting and "&lt;inconnue&gt;" in waiting
    office.post(LIST + "approuver/", {"person": nadia.pk})  # a refusal can be reconsidered
    nadia.refresh_from_db()
    assert nadia.is_approved and nadia.refused_at is None


def test_search_finds_by_name_address_and_school(office, make_user):
    make_user("paula", school="Lycée Curie", display_name="Paula Sol")
    for words in ("paula", "SOL", "curie", "paula curie"):
        assert "paula@example.org" in office.get(LIST, {"vue": "toutes", "q": words}).content.decode()
    page = office.get(LIST, {"vue": "toutes", "q": "zzz\0'\"><script>"})
    assert page.status_code == 200 and "<script>" not in page.content.decode().split("<main")[1]


def test_unknown_list_and_page_fall_back(office):
    assert office.get(LIST, {"vue": "../x", "page": "zz"}).status_code == 200


def test_deactivating_ends_sessions_tokens_and_servers(office, alice, signed_in, monkeypatch):
    calls = []
    monkeypatch.setattr("hub.portal.hubapi.revoke_tokens", lambda name: calls.append(("revoke", name)) or True)
    monkeypatch.setattr("hub.portal.hubapi.stop_servers", lambda name: calls.append(("stop", name)) or True)
    theirs = signed_in(alice)
    office.post(f"{LIST}{alice.pk}/desactiver/")
    wait_for(lambda: len(calls) == 2)
    assert calls == [("revoke", alice.hub_name), ("stop", alice.hub_name)]
    assert theirs.get("/compte/profil/").status_code == 302
    alice.refresh_from_db()
    assert not alice.is_active and not alice.has_perm("learning.study_session", "essai")
    office.post(f"{LIST}{alice.pk}/reactiver/")
    alice.refresh_from_db()
    assert alice.is_active


def test_a_manager_deactivates_neither_themselves_nor_an_administrator(office, denis, root):
    for person in (denis, root):
        office.post(f"{LIST}{person.pk}/desactiver/")
        person.refresh_from_db()
        assert person.is_active


def test_decisions_are_posts(office, nadia):
    for address in ("approuver/", f"{nadia.pk}/refuser/", f"{nadia.pk}/desactiver/", f"{nadia.pk}/reactiver/"):
        assert office.get(LIST + address).status_code == 405


def test_the_name_of_a_person_is_escaped(office, chevron):
    for address in (LIST + "?vue=toutes", f"{LIST}{chevron.pk}/"):
        page = office.get(address).content.decode()
        assert "&lt;&#x27;&amp;&quot;&gt;" in page and "<'&" not in page


def wait_for(condition, timeout_s: float = 5.0) -> None:
    import time

    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_busy_hub_is_asked_again(alice, monkeypatch):
    from hub.portal.accounts import access

    answers = iter([False, True])
    stopped = []
    monkeypatch.setattr(access, "RETRY_DELAYS_S", (0, 0, 0))
    monkeypatch.setattr("hub.portal.hubapi.has_hub", lambda: True)
    monkeypatch.setattr("hub.portal.hubapi.revoke_tokens", lambda name: next(answers))
    monkeypatch.setattr("hub.portal.hubapi.stop_servers", lambda name: stopped.append(name) or True)
    access.end_hub_access(alice).join(timeout=5)
    assert stopped == [alice.hub_name]
