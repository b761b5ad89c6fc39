"""`/` and `/parcours/<course>/`: public, searched without JavaScript, few queries."""

from __future__ import annotations

import pytest
from django.utils import timezone

from hub.portal.catalogue.models import Course, CourseSession, CourseVersion
from hub.portal.catalogue.presentation import compute_modality, render_duration, render_inline_markdown, render_markdown

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_course(petit):
    """make_course("python", title=…, minutes=…, domain=…): published with the tiny course's modules."""

    def make(slug, title, minutes=60, domain="Sciences"):
        from hub.portal.catalogue.search import fold

        duration = {"distance_minutes": minutes, "presence_minutes": 0}
        content = {**petit.content, "slug": slug, "title": title, "domain": domain, "duration": duration}
        return CourseVersion.objects.create(
            course=Course.objects.create(slug=slug),
            version="1.0",
            content=content,
            digest="0" * 64,
            is_current=True,
            title=title,
            domain=domain,
            duration_minutes=minutes,
            search_text=fold(f"{title} {domain} énergie"),
        )

    return make


def titles(page):
    return [card.file.title for card in page.context["cards"]]


def test_a_visitor_sees_the_courses(visitor, petit):
    page = visitor.get("/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "Petit parcours d’essai" in text and "/parcours/petit/" in text and "avec badge" in text


def test_only_current_versions_are_shown(visitor, petit):
    CourseVersion.objects.update(is_current=False)
    page = visitor.get("/")
    assert titles(page) == []
    assert "Le catalogue est encore vide" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ENERGIE"}, ["Chimie", "Petit parcours d’essai", "Python"]),
        ({"q": "python"}, ["Python"]),
        ({"q": "pyt énergie"}, ["Python"]),
        ({"q": "python chimie"}, []),
        ({"q": "100%_"}, []),
        ({"duree": "180-360"}, ["Chimie"]),
        ({"duree": "360-540"}, ["Chimie"]),
        ({"duree": "0-180"}, ["Petit parcours d’essai", "Python"]),
        ({"domaine": "Essais"}, ["Petit parcours d’essai"]),
        ({"duree": "n'importe"}, ["Chimie", "Petit parcours d’essai", "Python"]),
        ({"domaine": "Disparu"}, ["Chimie", "Petit parcours d’essai", "Python"]),
        ({"q": "x" * 500}, ["Chimie", "Petit parcours d’essai", "Python"]),
        ({"q": "pyth\0on"}, ["Chimie", "Petit parcours d’essai", "Python"]),
        ({"page": "abc"}, ["Chimie", "Petit parcours d’essai", "Python"]),
    ],
)
def test_search_and_filters(visitor, make_course, query, found):
    make_course("python", "Python", 90)
    make_course("chimie", "Chimie", 360)
    assert titles(visitor.get("/", query)) == found


def test_nothing_found_says_what_to_do(visitor, petit):
    text = visitor.get("/", {"q": "zzz"}).content.decode()
    assert "Aucun parcours ne correspond" in text and "Voir tous les parcours" in text


def test_htmx_gets_the_results_alone(visitor, petit):
    page = visitor.get("/", {"q": "petit"}, headers={"HX-Request": "true"})
    text = page.content.decode()
    assert "<html" not in text and 'id="resultats"' in text
    assert "HX-Request" in page["Vary"]


def test_what_is_typed_is_escaped(visitor, petit):
    text = visitor.get("/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in text


def test_queries_do_not_grow_with_courses(visitor, make_course, django_assert_max_num_queries):
    for number in range(11):
        make_course(f"c{number}", f"Parcours {number}")
    with django_assert_max_num_queries(3):
        page = visitor.get("/")
    assert len(titles(page)) == 12


def test_pages_of_twelve_keep_the_filters(visitor, make_course):
    for number in range(14):
        make_course(f"c{number}", f"Parcours {number}")
    page = visitor.get("/", {"domaine": "Sciences", "page": "2"})
    assert len(titles(page)) == 2
    assert "domaine=Sciences" in page.content.decode()


def test_course_page(visitor, petit, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        page = visitor.get("/parcours/petit/")
    text = page.content.decode()
    for expected in ("Vérifier l’enchaînement", "Second module", "autoformation à distance", "Badge d’essai", "chimie"):
        assert expected in text
    assert "/session/petit/" in text


@pytest.mark.parametrize("state", ["preparation", "closed", "archived"])
def test_course_page_lists_open_sessions_only(visitor, petit, state):
    CourseSession.objects.update(state=state)
    text = visitor.get("/parcours/petit/").content.decode()
    assert "/session/petit/" not in text
    assert "Aucune session n’est ouverte" in text


@pytest.mark.parametrize(
    "address", ["/parcours/absent/", "/parcours/absent/image.svg", "/parcours/petit/badges/absent.svg"]
)
def test_what_does_not_exist(visitor, petit, address):
    assert visitor.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/parcours/petit/image.svg", "/parcours/petit/badges/parcours.svg"])
def test_pictures_can_run_nothing(visitor, petit, address):
    picture = visitor.get(address)
    assert picture["Content-Type"] == "image/svg+xml"
    policy = picture["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy
    assert b"<svg" in picture.content


def test_a_published_text_is_escaped(visitor, make_course):
    make_course("piege", "<img src=x onerror=alert(1)>")
    for address in ("/", "/parcours/piege/"):
        assert "<img src=x" not in visitor.get(address).content.decode()


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0\u202fmin"), (45, "45\u202fmin"), (60, "1\u202fh"), (90, "1\u202fh\u202f30")]
)
def test_durations(minutes, text):
    assert render_duration(minutes) == text


@pytest.mark.parametrize(
    ("distance", "presence", "collection", "label"),
    [
        (60, 0, "Autoformation", "autoformation à distance"),
        (60, 0, "Action", "à distance"),
        (60, 60, "Autoformation", "hybride"),
        (0, 60, "", "en présence"),
        (0, 0, "", "à son rythme"),
    ],
)
def test_modality_is_computed(petit, distance, presence, collection, label):
    duration = petit.file.duration.model_copy(update={"distance_minutes": distance, "presence_minutes": presence})
    assert compute_modality(petit.file.model_copy(update={"duration": duration, "collection": collection})) == label


@pytest.mark.parametrize("render", [render_markdown, render_inline_markdown])
@pytest.mark.parametrize("text", ["<script>x</script>", "[a](javascript:alert(1))", "![](x)", '<a onclick="x">y</a>'])
def test_markdown_is_safe(render, text):
    html = render(text)
    for forbidden in ("<script", 'href="javascript', "<img", "<a onclick"):
        assert forbidden not in html


def test_session_runs_within_its_dates(petit):
    from datetime import timedelta

    today = timezone.localdate()
    session = CourseSession.objects.get(slug="petit")
    for starts, ends, running in [(None, None, True), (0, 0, True), (1, None, False), (None, -1, False), (-1, 1, True)]:
        session.starts_on = None if starts is None else today + timedelta(days=starts)
        session.ends_on = None if ends is None else today + timedelta(days=ends)
        assert session.is_running() is running
    session.state = "closed"
    assert not session.is_running()
