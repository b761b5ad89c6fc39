"""Signing up: what is asked, who waits, who comes in at once, and what a refusal looks like."""

from __future__ import annotations

import dataclasses
import re

import pytest
from django.core import mail
from django.test import Client

from hub.portal.accounts.models import User

pytestmark = pytest.mark.django_db
FORM = {
    "display_name": "Émile Roux",
    "email": "Emile.Roux@Lycee.Example.org",
    "school": "Lycée",
    "password1": "une-phrase-assez-longue",
    "password2": "une-phrase-assez-longue",
    "terms": "on",
}


@pytest.fixture
def signup_rule(settings):
    def change(**fields):
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, **fields)

    return change


def confirm_address(client: Client) -> None:
    """Follow the link of the last message, as its reader would."""
    link = re.search(r"https?://[^/]+(/compte/confirm-email/\S+)", mail.outbox[-1].body)
    assert link, mail.outbox[-1].body
    assert client.get(link[1]).status_code == 200
    client.post(link[1])


def sign_up(client: Client, **fields: str):
    return client.post("/compte/signup/", {**FORM, **fields})


def sign_in(client: Client, email: str = FORM["email"]):
    return client.post("/compte/login/", {"login": email, "password": FORM["password1"]}, follow=True)


def test_a_new_person_waits_for_approval_and_sees_nothing_else(visitor):
    sign_up(visitor)
    user = User.objects.get()
    assert (user.email, user.display_name, user.school) == ("emile.roux@lycee.example.org", "Émile Roux", "Lycée")
    assert re.fullmatch(r"u[a-z2-7]{12}", user.hub_name) and user.terms_accepted_at and not user.is_approved
    confirm_address(visitor)
    page = sign_in(visitor)
    assert page.redirect_chain[-1][0] == "/compte/attente/"
    assert "Votre demande est enregistrée" in page.content.decode()
    for address in ("/mes-parcours/", "/gestion/comptes/", "/", "/identity/o/authorize"):
        assert visitor.get(address).headers["Location"] == "/compte/attente/", address


def test_nobody_signs_in_before_confirming_the_address(visitor):
    sign_up(visitor)
    sign_in(visitor)
    assert "_auth_user_id" not in visitor.session


def test_managers_are_told_of_a_confirmed_request(visitor, denis):
    sign_up(visitor)
    assert [message.to for message in mail.outbox] == [["emile.roux@lycee.example.org"]]
    confirm_address(visitor)
    assert mail.outbox[-1].to == [denis.email] and "Émile Roux" in mail.outbox[-1].body


def test_a_person_of_a_listed_domain_comes_in_once_confirmed(visitor, signup_rule):
    signup_rule(signup_domains=("lycee.example.org",))
    sign_up(visitor)
    assert not User.objects.get().is_approved
    confirm_address(visitor)
    assert User.objects.get().is_approved


def test_a_domain_that_only_ends_like_a_listed_one_waits(visitor, signup_rule):
    signup_rule(signup_domains=("example.org",))
    sign_up(visitor, email="x@faux-example.org")
    confirm_address(visitor)
    assert not User.objects.get().is_approved


def test_open_signup_approves_whoever_confirms(visitor, signup_rule):
    signup_rule(signup="open")
    sign_up(visitor)
    confirm_address(visitor)
    assert User.objects.get().is_approved


def test_closed_signup_says_so_and_creates_nobody(visitor, signup_rule):
    signup_rule(signup="closed")
    assert "Les inscriptions sont fermées" in visitor.get("/compte/signup/").content.decode()
    assert "Les inscriptions sont fermées" in sign_up(visitor).content.decode()
    assert not User.objects.exists()
    assert "Créer un compte" not in visitor.get("/compte/login/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("terms", "", "Sans votre accord"),
        ("display_name", "\u202eleinaD", "caractère invisible"),
        ("display_name", "   ", "obligatoire"),
        ("password2", "autre-chose-de-long", "même mot de passe"),
        ("email", "pas-une-adresse", "adresse"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(visitor, field, value, sentence):
    page = sign_up(visitor, **{field: value})
    assert page.status_code == 200 and sentence in page.content.decode()
    assert not User.objects.exists() and not mail.outbox


def test_signing_up_again_does_not_reveal_that_the_address_is_known(visitor, alice):
    page = sign_up(visitor, email="ALICE@example.org")
    assert page.headers["Location"] == "/compte/confirm-email/"
    assert User.objects.filter(email="alice@example.org").count() == 1
    assert mail.outbox[-1].to == ["alice@example.org"]


def test_links_of_messages_are_on_the_public_address(visitor, alice):
    """A Host that somebody else chose must not be where a secret link leads."""
    sign_up(visitor)
    visitor.post("/compte/password/reset/", {"email": alice.email}, headers={"Host": "portal"})
    visitor.post("/compte/password/reset/", {"email": "inconnu@example.org"}, headers={"Host": "portal"})
    assert [message.to[0] for message in mail.outbox] == [FORM["email"].lower(), alice.email, "inconnu@example.org"]
    for message in mail.outbox:
        links = re.findall(r"https?://[^/\s]+", message.body)
        assert links and set(links) == {"http://127.0.0.1:8000"}, message.body
        assert message.body.startswith("Bonjour,") and message.subject.startswith("Pupitre : ")


def test_guessing_one_password_is_slowed_down(visitor, alice):
    for _attempt in range(6):
        page = visitor.post("/compte/login/", {"login": alice.email, "password": "faux"})
    assert "Trop" in page.content.decode()
    good = visitor.post("/compte/login/", {"login": alice.email, "password": "un-mot-de-passe-solide"})
    assert good.status_code == 200 and "_auth_user_id" not in visitor.session


def test_an_inactive_person_cannot_sign_in(visitor, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    visitor.post("/compte/login/", {"login": alice.email, "password": "un-mot-de-passe-solide"})
    assert "_auth_user_id" not in visitor.session


def test_a_mail_server_that_fails_keeps_the_page(visitor, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens
    page = sign_up(visitor)
    assert page.status_code == 302
    assert "n’a pas pu être envoyé" in visitor.get(page.headers["Location"]).content.decode()
