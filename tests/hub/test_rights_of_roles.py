"""Who may do what: the table of docs/reference/interfaces.md, section 3, permission by permission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils import timezone

from hub.portal.accounts.models import User
from hub.portal.accounts.permissions import PLAIN_PERMISSIONS, SESSION_PERMISSIONS, role_required

pytestmark = pytest.mark.django_db

MAY = {
    "alice": {("learning.study_session", "essai")},
    "bob": {("learning.study_session", "autre")},
    "claire": {
        ("learning.study_session", "essai"),
        ("learning.attest_session", "essai"),
        ("graders.review_session", "essai"),
        ("graders.release_session", "essai"),
        ("catalogue.follow_session", "essai"),
        ("catalogue.write_course", None),
    },
    "denis": {
        ("catalogue.follow_session", "essai"),
        ("catalogue.follow_session", "autre"),
        ("catalogue.open_session", None),
        ("badges.revoke_award", None),
        ("accounts.approve_user", None),
    },
}
ALL = {(perm, slug) for perm in SESSION_PERMISSIONS for slug in ("essai", "autre")} | {
    (perm, None) for perm in PLAIN_PERMISSIONS
}


def rights_of(user) -> set:
    fresh = User.objects.get(pk=user.pk)
    return {(perm, slug) for perm, slug in ALL if fresh.has_perm(perm, slug)}


@pytest.fixture
def cast(alice, bob, claire, denis):
    return {"alice": alice, "bob": bob, "claire": claire, "denis": denis}


@pytest.mark.parametrize("name", MAY)
def test_each_role_has_its_rights_and_no_other(cast, name):
    assert rights_of(cast[name]) == MAY[name]


def test_admins_have_all(root, essai, autre):
    assert rights_of(root) == ALL


def test_a_grader_who_is_no_trainer_reviews_and_does_not_release(make_user, essai):
    from hub.portal.catalogue.models import SessionRole

    grader = make_user("gaston")
    SessionRole.objects.create(session=essai, user=grader, role="grader")
    assert rights_of(grader) == {("learning.study_session", "essai"), ("graders.review_session", "essai")}


def test_authors_write_courses(make_user):
    assert rights_of(make_user("aude", is_author=True)) == {("catalogue.write_course", None)}


@pytest.mark.parametrize("change", [{"is_active": False}, {"approved_at": None}])
def test_inactive_or_not_approved_means_no_right_at_all(cast, root, change):
    for user in [*cast.values(), root]:
        User.objects.filter(pk=user.pk).update(**change)
        assert rights_of(user) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "closed"},
        {"state": "preparation"},
        {"ends_on": timezone.localdate() - timedelta(days=1)},
        {"starts_on": timezone.localdate() + timedelta(days=1)},
    ],
)
def test_a_learner_studies_only_a_running_session(alice, claire, essai, change):
    type(essai).objects.filter(pk=essai.pk).update(**change)
    assert ("learning.study_session", "essai") not in rights_of(alice)
    assert ("learning.study_session", "essai") in rights_of(claire)


@pytest.mark.parametrize(
    ("perm", "obj"),
    [
        ("learning.study_session", None),
        ("learning.study_session", ""),
        ("learning.study_session", "inconnue"),
        ("learning.study_session", "x' OR 1=1 --"),
        ("learning.study_session", 7),
        ("graders.review_session", object()),
        ("inconnu.rien", "essai"),
        ("", None),
    ],
)
def test_what_is_unknown_is_a_plain_no(claire, perm, obj):
    assert claire.has_perm(perm, obj) is False
    assert AnonymousUser().has_perm(perm, obj) is False


def test_roles_cost_one_query(claire, essai, django_assert_num_queries):
    fresh = User.objects.get(pk=claire.pk)
    with django_assert_num_queries(1):
        for perm in ("graders.review_session", "graders.release_session", "catalogue.follow_session"):
            assert fresh.has_perm(perm, "essai")
        assert fresh.has_perm("catalogue.write_course")


@pytest.fixture
def release(rf):
    view = role_required("graders.release_session", "slug")(lambda request, slug: HttpResponse("ouvert"))

    def ask(user, slug):
        request = rf.get(f"/session/{slug}/x")
        request.user = user
        return view(request, slug=slug)

    return ask


def test_the_guard_lets_in_who_has_the_right(release, claire):
    assert release(claire, "essai").status_code == 200


def test_the_guard_asks_a_visitor_to_sign_in(release):
    answer = release(AnonymousUser(), "essai")
    assert answer.status_code == 302 and answer.headers["Location"] == "/compte/login/?next=/session/essai/x"


def test_the_guard_refuses_who_knows_the_session(release, alice, bob, essai):
    for person in (alice, bob):  # bob: the session is in the public catalogue
        with pytest.raises(PermissionDenied):
            release(person, "essai")


def test_the_guard_hides_a_session_from_who_may_not_know_it(release, alice, bob, denis, essai):
    type(essai).objects.filter(pk=essai.pk).update(state="preparation")
    with pytest.raises(Http404):
        release(bob, "essai")
    for person in (alice, denis):
        with pytest.raises(PermissionDenied):
            release(person, "essai")
    with pytest.raises(Http404):
        release(bob, "inconnue")


MANAGER_PAGES = ["/gestion/comptes/", "/gestion/comptes/1/"]


@pytest.mark.parametrize("address", MANAGER_PAGES)
def test_accounts_are_for_managers(cast, root, signed_in, visitor, address):
    address = address.replace("1", str(cast["alice"].pk))
    expected = {"alice": 403, "bob": 403, "claire": 403, "denis": 200}
    assert {name: signed_in(user).get(address).status_code for name, user in cast.items()} == expected
    assert signed_in(root).get(address).status_code == 200
    assert visitor.get(address).headers["Location"].startswith("/compte/login/")


def test_decisions_are_for_managers(cast, signed_in, visitor, make_user):
    waiting = make_user("nadia", approved_at=None)
    browsers = [*(signed_in(cast[name]) for name in ("alice", "bob", "claire")), visitor]
    for browser in browsers:
        browser.post("/gestion/comptes/approuver/", {"person": waiting.pk})
        browser.post(f"/gestion/comptes/{waiting.pk}/refuser/", {"reason": "non"})
        browser.post(f"/gestion/comptes/{waiting.pk}/desactiver/")
    waiting.refresh_from_db()
    assert (waiting.approved_at, waiting.refused_at, waiting.is_active) == (None, None, True)


def test_only_administrators_open_the_administration(cast, root, signed_in):
    assert signed_in(root).get("/administration/").status_code == 200
    for user in cast.values():
        assert signed_in(user).get("/administration/").status_code in (302, 403)


def test_the_header_offers_what_the_person_may_do(cast, root, signed_in, visitor):
    def links(browser) -> set:
        header = browser.get("/accessibilite/").content.decode().split("</header>")[0]
        return {
            address
            for address in ("/relecture/", "/atelier/", "/gestion/", "/mes-parcours/")
            if f'href="{address}' in header
        }

    assert links(visitor) == set()
    assert links(signed_in(cast["alice"])) == {"/mes-parcours/"}
    assert links(signed_in(cast["claire"])) == {"/mes-parcours/", "/relecture/", "/atelier/"}
    assert links(signed_in(cast["denis"])) == {"/mes-parcours/", "/gestion/"}
    assert links(signed_in(root)) == {"/mes-parcours/", "/relecture/", "/atelier/", "/gestion/"}
