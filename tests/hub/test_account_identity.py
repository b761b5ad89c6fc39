"""The portal as the Hub's identity provider: the whole OpenID Connect exchange, and what ends it."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.idp.oidc.models import Client as HubClient
from django.core.management import call_command
from django.test import Client

from hub.portal.accounts.management.commands.ensurehubclient import get_client_secret
from hub.portal.accounts.models import User

pytestmark = pytest.mark.django_db
CALLBACK = "http://localhost:8000/hub/oauth_callback"
AUTHORIZE = {
    "response_type": "code",
    "client_id": "jupyterhub",
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "abc",
}


@pytest.fixture
def hub(db):
    call_command("ensurehubclient")
    return Client()


def exchange(browser: Client, hub: Client) -> dict:
    """Authorization code → token → who it is, as the Hub does it."""
    answer = browser.get("/identity/o/authorize", AUTHORIZE)
    assert answer.status_code == 302, answer.content
    assert answer.headers["Location"].startswith(CALLBACK)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    token = hub.post(
        "/identity/o/api/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": "jupyterhub",
            "client_secret": get_client_secret(),
        },
        headers={"Host": "127.0.0.1:8001"},
    )
    assert token.status_code == 200, token.content
    headers = {"Authorization": f"Bearer {token.json()['access_token']}", "Host": "127.0.0.1:8001"}
    return hub.get("/identity/o/api/userinfo", headers=headers).json()


def test_the_hub_learns_a_random_name_and_nothing_of_the_account(hub, alice, signed_in):
    claims = exchange(signed_in(alice), hub)
    assert claims == {"sub": alice.hub_name, "name": "Alice", "email": "alice@example.org", "email_verified": True}


def test_a_visitor_signs_in_first(hub, visitor):
    answer = visitor.get("/identity/o/authorize", AUTHORIZE)
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/compte/login/?")


def test_who_waits_for_approval_gets_no_code(hub, make_user, signed_in):
    answer = signed_in(make_user("nadia", approved_at=None)).get("/identity/o/authorize", AUTHORIZE)
    assert answer.headers["Location"] == "/compte/attente/"


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://localhost:8000/user/x/y"},
        {"redirect_uri": "https://mechant.example/"},
        {"client_id": "autre"},
    ],
)
def test_another_address_or_client_gets_no_code(hub, alice, signed_in, change):
    answer = signed_in(alice).get("/identity/o/authorize", {**AUTHORIZE, **change})
    assert answer.status_code == 200 and "Location" not in answer.headers  # a page that says the error, no way back
    assert "Nous n’avons pas pu vous connecter" in answer.content.decode()


def test_a_wrong_secret_gets_no_token(hub, alice, signed_in):
    answer = signed_in(alice).get("/identity/o/authorize", AUTHORIZE)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    basic = base64.b64encode(b"jupyterhub:faux").decode()
    token = hub.post(
        "/identity/o/api/token",
        {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert token.status_code in (400, 401) and "access_token" not in token.json()


def test_the_issuer_is_the_public_address(hub):
    answer = hub.get("/.well-known/openid-configuration", headers={"Host": "127.0.0.1:8001"}).json()
    assert answer["issuer"] == "http://127.0.0.1:8000"


def test_ensurehubclient_twice_changes_nothing(hub):
    before = HubClient.objects.values().get()
    call_command("ensurehubclient")
    assert HubClient.objects.values().get() == before
    assert get_client_secret() not in before["secret"]


def state_of(hub: Client, name: str, secret: str | None = None):
    return hub.get(f"/identity/etat/{name}", headers={"Authorization": f"Bearer {secret or get_client_secret()}"})


def test_the_state_of_a_person_follows_their_session(hub, alice, signed_in):
    assert state_of(hub, alice.hub_name).json()["active"] is False
    browser = signed_in(alice)
    assert state_of(hub, alice.hub_name).json()["active"] is True
    browser.post("/compte/logout/")
    assert state_of(hub, alice.hub_name).json()["active"] is False


@pytest.mark.parametrize("change", [{"is_active": False}, {"approved_at": None}])
def test_the_state_of_a_person_without_rights_is_inactive(hub, alice, signed_in, change):
    signed_in(alice)
    User.objects.filter(pk=alice.pk).update(**change)
    assert state_of(hub, alice.hub_name).json()["active"] is False


def test_a_session_of_an_old_password_does_not_count(hub, alice, signed_in):
    signed_in(alice)
    alice.set_password("autre-mot-de-passe-long")
    alice.save()
    assert state_of(hub, alice.hub_name).json()["active"] is False


def test_asking_the_state_writes_nothing(hub, alice, signed_in, django_assert_max_num_queries):
    signed_in(alice)
    with django_assert_max_num_queries(4) as queries:
        state_of(hub, alice.hub_name)
    assert not [q for q in queries.captured_queries if re.match("INSERT|UPDATE|DELETE", q["sql"])]


def test_only_the_hub_asks_the_state(hub, alice, signed_in):
    assert state_of(hub, alice.hub_name, "faux").status_code == 403
    assert signed_in(alice).get(f"/identity/etat/{alice.hub_name}").status_code == 403
    assert state_of(hub, "uinconnu").json()["active"] is False


def test_a_new_password_ends_the_other_browsers_and_keeps_this_one(hub, alice, signed_in):
    here, elsewhere = signed_in(alice), signed_in(alice)
    form = {
        "oldpassword": "un-mot-de-passe-solide",
        "password1": "un-tout-autre-secret",
        "password2": "un-tout-autre-secret",
    }
    assert here.post("/compte/password/change/", form).status_code == 302
    assert here.get("/compte/profil/").status_code == 200
    assert elsewhere.get("/compte/profil/").status_code == 302
    assert state_of(hub, alice.hub_name).json()["active"] is True


def test_signing_out_goes_through_the_hub_that_started_us(alice, signed_in, monkeypatch):
    monkeypatch.setattr("hub.portal.hubapi.revoke_tokens", lambda name: True)
    monkeypatch.setattr("hub.portal.hubapi.stop_servers", lambda name: True)
    assert signed_in(alice).post("/compte/logout/").headers["Location"] == "/"
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:9/hub/api")
    assert signed_in(alice).post("/compte/logout/").headers["Location"] == "http://localhost:8000/hub/logout"
