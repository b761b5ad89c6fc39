"""The one-time link that makes the administrator."""

from __future__ import annotations

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command

from hub.portal.accounts.models import User

pytestmark = pytest.mark.django_db
FORM = {
    "display_name": "Root",
    "email": "Root@example.org",
    "password1": "une-phrase-assez-longue",
    "password2": "une-phrase-assez-longue",
}


def print_link() -> str:
    out = StringIO()
    call_command("onetimeadmin", stdout=out)
    return out.getvalue().strip()


def path_of(link: str) -> str:
    assert link.startswith("http://127.0.0.1:8000/premier-acces/")
    return urlsplit(link).path


def test_the_link_makes_one_administrator_signed_in_and_verified(visitor, client):
    path = path_of(print_link())
    assert "Créer l’administrateur" in visitor.get(path).content.decode()
    answer = visitor.post(path, FORM)
    assert answer.headers["Location"] == "/gestion/comptes/"
    user = User.objects.get()
    assert (user.email, user.is_superuser, user.is_staff) == ("root@example.org", True, True)
    assert user.emailaddress_set.get().verified and visitor.get("/gestion/comptes/").status_code == 200
    # It has served: neither this link nor a new one makes another.
    assert print_link() == ""
    assert client.post(path, {**FORM, "email": "autre@example.org"}).headers["Location"] == "/compte/login/"
    assert User.objects.count() == 1


@pytest.mark.parametrize("token", ["x", "ImFkbWluaXN0cmF0b3Ii:1abc:zzz"])
def test_a_forged_link_does_not_exist(visitor, token):
    assert visitor.get(f"/premier-acces/{token}/").status_code == 404
    assert visitor.post(f"/premier-acces/{token}/", FORM).status_code == 404
    assert not User.objects.exists()


def test_an_old_link_does_not_exist(visitor, monkeypatch):
    from datetime import timedelta

    path = path_of(print_link())
    monkeypatch.setattr("hub.portal.accounts.firstaccess.LIFETIME", timedelta(seconds=-1))
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"password2": "autre"}, {"password1": "court", "password2": "court"}, {"email": "x"}, {"display_name": ""}],
)
def test_bad_input_makes_nobody(visitor, change):
    page = visitor.post(path_of(print_link()), {**FORM, **change})
    assert page.status_code == 200 and "field-error" in page.content.decode()
    assert not User.objects.exists()
