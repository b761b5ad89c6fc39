"""The account itself: one person per address, a Hub name that never changes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from hub.portal.accounts.models import User

pytestmark = pytest.mark.django_db


def test_an_address_belongs_to_one_person_whatever_its_case(alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ALICE@Example.ORG", "x", display_name="Autre")
    assert User.objects.get_by_natural_key("Alice@EXAMPLE.org") == alice


def test_hub_name_is_random_and_never_changes(alice, bob):
    assert alice.hub_name != bob.hub_name
    user = User.objects.get(pk=alice.pk)
    user.hub_name = "unouveaunom"
    with pytest.raises(ValueError, match="hub_name"):
        user.save()
    alice.hub_name = "unouveaunom"
    with pytest.raises(ValueError, match="hub_name"):
        alice.save()
    assert User.objects.get(pk=alice.pk).hub_name != "unouveaunom"


def test_changing_name_and_address_keeps_the_hub_name(alice):
    before = alice.hub_name
    alice.email, alice.display_name = "Nouvelle@Example.org", "Alice B."
    alice.save()
    again = User.objects.get(pk=alice.pk)
    assert (again.email, again.hub_name) == ("nouvelle@example.org", before)


def test_an_account_needs_an_address():
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("  ")


def test_a_name_is_escaped_in_the_header(chevron, signed_in):
    page = signed_in(chevron).get("/compte/profil/").content.decode()
    assert "&lt;&#x27;&amp;&quot;&gt;" in page and "<'&" not in page


def test_profile_is_changed_by_its_owner_only_in_what_it_offers(alice, signed_in):
    client = signed_in(alice)
    client.post(
        "/compte/profil/", {"display_name": "Alice Martin", "school": "IUT", "is_manager": "on", "is_superuser": "1"}
    )
    alice.refresh_from_db()
    assert (alice.display_name, alice.school, alice.is_manager, alice.is_superuser) == (
        "Alice Martin",
        "IUT",
        False,
        False,
    )
