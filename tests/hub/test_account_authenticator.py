"""The Hub asks the portal again: the real authenticator against the real portal."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest


def hub_user(name: str) -> SimpleNamespace:
    """What the authenticator uses of the Hub's user."""
    commits: list[int] = []
    db = SimpleNamespace(commit=lambda: commits.append(1), commits=commits)
    return SimpleNamespace(name=name, orm_user=SimpleNamespace(cookie_id="first"), db=db)


@pytest.fixture
def ask(live_server):
    """ask(hub_name, **changes): what `refresh_user` says of a person."""
    from hub.jupyter.authenticator import PortalAuthenticator
    from hub.portal.accounts.management.commands.ensurehubclient import get_client_secret

    def refresh(hub_name: str, person: SimpleNamespace | None = None, **changes) -> bool:
        traits = {
            "client_id": "jupyterhub",
            "client_secret": get_client_secret(),
            "authorize_url": "http://127.0.0.1:8000/identity/o/authorize",
            "userdata_url": f"{live_server.url}/identity/o/api/userinfo",
            **changes,
        }

        async def once() -> bool:
            authenticator = PortalAuthenticator(**traits)
            assert authenticator.auth_refresh_age == 60 and authenticator.refresh_pre_spawn
            assert authenticator.logout_redirect_url == "http://127.0.0.1:8000/"
            return await authenticator.refresh_user(person or hub_user(hub_name))

        return asyncio.run(once())

    return refresh


@pytest.mark.django_db(transaction=True)
def test_a_person_stays_while_signed_in_and_no_longer(ask, make_user, signed_in):
    alice = make_user("alice")
    browser = signed_in(alice)
    assert ask(alice.hub_name) is True
    browser.post("/compte/logout/")
    assert ask(alice.hub_name) is False


@pytest.mark.django_db(transaction=True)
def test_signing_out_ends_older_hub_cookies_once_even_if_another_browser_stays(ask, make_user, signed_in):
    alice = make_user("alice")
    here, elsewhere = signed_in(alice), signed_in(alice)
    person = hub_user(alice.hub_name)
    assert ask(alice.hub_name, person) is True and person.orm_user.cookie_id == "first"
    here.post("/compte/logout/")
    assert ask(alice.hub_name, person) is False and person.db.commits == [1]
    renewed = person.orm_user.cookie_id
    assert renewed != "first" and ask(alice.hub_name, person) is True and person.orm_user.cookie_id == renewed
    elsewhere.post("/compte/logout/")
    assert ask(alice.hub_name, person) is False


@pytest.mark.django_db(transaction=True)
def test_a_portal_that_cannot_be_asked_signs_nobody_out(ask, make_user, caplog):
    alice = make_user("alice")
    nowhere = "http://127.0.0.1:9/identity/o/api/userinfo"
    assert ask(alice.hub_name, userdata_url=nowhere) is True
    assert ask(alice.hub_name, client_secret="faux") is True  # 403: the Hub is misconfigured, people are not to blame
    assert ask(alice.hub_name) is False
