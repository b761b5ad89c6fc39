"""English, page by page: what the cast can reach by links holds no French but what the course itself says.

And the switch at the foot of each page: it posts to the portal with the form's token, and the choice lasts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone, translation

from hub.portal.accounts.approval import approve
from hub.portal.catalogue.coursefile import CourseFileError
from hub.portal.catalogue.presentation import render_points
from hub.portal.learning.rule import list_remaining
from tests.hub.learning.conftest import PETIT

# Words of French that English does not have; accents and elisions tell the others.
FRENCH_WORD = re.compile(
    r"[a-zà-ÿœ]*[à-ÿœ][a-zà-ÿœ]*|\b[ldnsjcm]’[a-zà-ÿœ]+|\b(?:qu’)[a-zà-ÿœ]+"
    r"|\b(?:le|la|les|une|des|du|est|sont|dans|avec|pour|sur|votre|vos|vous|cette|ces|aucune?|et|ou|mes|mon|ma)\b"
)
NOT_A_PAGE = re.compile(
    r"^/(static|administration|api|langue|health|identity)/|/(ouvrir|etat|image)/|\.(svg|png|pdf|json|jwt|csv)$|/(logout)/"
)
START = {
    "visitor": ["/", "/compte/login/", "/compte/signup/", "/compte/password/reset/", "/verifier/", "/accessibilite/"],
    "learner": ["/", "/mes-parcours/", "/badges/", "/profil/", "/nulle-part/"],
    "trainer": ["/", "/relecture/", "/atelier/"],
    "manager": ["/", "/gestion/comptes/", "/gestion/sessions/"],
}


def visible_text(page: str) -> str:
    """What is read or read aloud, without what is declared to be in another language."""
    page = re.sub(r'(?s)<(script|style)\b.*?</\1>|<(?!html)(\w+)[^>]*\blang="fr"[^>]*>.*?</\2>', " ", page)
    spoken = " ".join(re.findall(r'\b(?:aria-label|alt|title|placeholder)="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]*>", " ", page) + " " + spoken)


def words(text: str) -> set[str]:
    return set(FRENCH_WORD.findall(text.lower()))


@pytest.fixture
def words_of_the_course() -> set[str]:
    texts = [file.read_text(encoding="utf-8") for file in PETIT.rglob("*") if file.suffix in {".yml", ".ipynb"}]
    texts.append("VOTRE RÉPONSE ICI")  # what a learner's copy holds where the solution was (graders.engine.release)
    return words(" ".join(texts).replace("\\n", " "))


def browse(client: Client, start: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each page that links lead to, once per shape of its address."""
    client.cookies["django_language"] = "en"
    waiting, seen = list(start), set()
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        if parts.netloc or not parts.path.startswith("/") or NOT_A_PAGE.search(parts.path):
            continue
        if (parts.path, parts.query) in seen or len(seen) > 80:
            continue
        seen.add((parts.path, parts.query))
        answer = client.get(address, follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        yield address, page
        waiting += [html.unescape(link) for link in re.findall(r'href="(/[^"#]*)', page)]


@pytest.fixture
def lived_in(
    alice: Any, claire: Any, denis: Any, chevron: Any, essai: Any, make_user: Callable[..., Any], make_attempt: Any
) -> dict[str, Any]:
    """A session with marks, a wrong answer and one that waits for a grader; a person who waits for an account."""
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3})
    make_attempt(chevron, "essai", "m1", {}, state="refused")
    make_user("attente", approved_at=None)
    make_user("refus", approved_at=None, refused_at=timezone.now())
    return {"visitor": None, "learner": alice, "trainer": claire, "manager": denis}


@pytest.mark.parametrize("who", START)
def test_every_page_that_links_lead_to_is_in_english(
    who: str, lived_in: dict[str, Any], signed_in: Callable[[Any], Client], words_of_the_course: set[str]
) -> None:
    client = signed_in(lived_in[who]) if lived_in[who] else Client()
    wrong, count = {}, 0
    for address, page in browse(client, START[who]):
        count += 1
        assert '<html lang="en">' in page, address
        left = words(visible_text(page)) - words_of_the_course
        if left:
            wrong[address] = left
    assert not wrong
    assert count >= 8


def test_the_same_search_finds_french_in_french_pages(visitor: Client, words_of_the_course: set[str]) -> None:
    found = words(visible_text(visitor.get("/compte/signup/").content.decode())) - words_of_the_course
    assert {"créer", "nom", "utilisées"} & found


# --- the switch at the foot of the page -------------------------------------------------------------------------------
SWITCH = re.compile(r'(?s)<form method="post" action="(/langue/[^"]*)"[^>]*>(.*?)</form>')


def press(client: Client, page: str, language: str) -> Any:
    """What a browser sends when the button of a language is pressed."""
    found = SWITCH.search(page)
    assert found, "no switch at the foot of the page"
    assert re.search(rf'<button[^>]*name="language" value="{language}"', found[2])
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', found[2])}
    return client.post(found[1], {**fields, "language": language}, headers={"accept": "text/html"})


@pytest.mark.parametrize("address", ["/", "/?q=python", "/compte/login/?next=/mes-parcours/", "/nulle-part/"])
def test_a_visitor_changes_language_where_they_are(db: None, address: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(address)
    assert '<html lang="fr">' in page.content.decode()
    answer = press(browser, page.content.decode(), "en")
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert '<html lang="en">' in browser.get(address).content.decode()
    back = press(browser, browser.get(address).content.decode(), "fr")
    assert '<html lang="fr">' in browser.get(back["Location"]).content.decode()


def test_a_signed_in_person_changes_language_and_keeps_it(alice: Any, signed_in: Callable[[Any], Client]) -> None:
    browser = signed_in(alice)
    browser.handler.enforce_csrf_checks = True
    press(browser, browser.get("/mes-parcours/").content.decode(), "en")
    assert "My courses" in browser.get("/mes-parcours/").content.decode()
    assert "The exercise notebook" in browser.get("/session/essai/module/m1/").content.decode()


def test_the_choice_goes_before_the_browsers_language(db: None) -> None:
    browser = Client(headers={"accept-language": "en-GB,en;q=0.9"})
    page = browser.get("/").content.decode()
    assert '<html lang="en">' in page
    press(browser, page, "fr")
    assert '<html lang="fr">' in browser.get("/").content.decode()


def test_the_switch_is_allowed_by_our_own_policy_and_by_nobody_elses_form(visitor: Client) -> None:
    policy = visitor.get("/")["Content-Security-Policy"]
    assert re.search(r"form-action 'self'", policy)
    refused = Client(enforce_csrf_checks=True).post("/langue/setlang/", {"language": "en", "next": "/"})
    assert refused.status_code == 403
    elsewhere = visitor.post("/langue/setlang/", {"language": "en", "next": "https://exemple.org/"})
    assert not elsewhere["Location"].startswith("https://exemple.org")


def test_an_error_of_the_door_comes_in_the_language_asked_for(visitor: Client) -> None:
    said = {
        language: visitor.get("/api/v1/nulle-part", headers={"accept-language": language}).json()["message"]
        for language in ("fr", "en")
    }
    assert said["fr"] != said["en"]
    assert words(said["fr"])
    assert not words(said["en"])


def test_numbers_and_quotes_follow_the_language(petit: Any) -> None:
    course = petit.file
    with translation.override("en"):
        english = " ".join(list_remaining(course, {}))
        assert render_points(4.5) == "4.5"
        assert str(CourseFileError("course.yml", 3, "title", "x")) == "course.yml, line 3, “title”: x."
    with translation.override("fr"):
        french = " ".join(list_remaining(course, {}))
        assert render_points(4.5) == "4,5"
        assert str(CourseFileError("course.yml", 3, "title", "x")) == "course.yml, ligne 3, « title » : x."
    title = course.modules[0].title
    assert f"“{title}”" in english
    assert f"« {title} »" in french
    assert re.search(r"\d%", english)
    assert re.search(r"\d %", french)
    assert not re.search(r"\d,\d", english)


def test_a_decision_is_told_in_french_whatever_the_managers_language(
    denis: Any, make_user: Callable[..., Any], mailoutbox: list[Any]
) -> None:
    waiting = make_user("attente", approved_at=None)
    with translation.override("en"):
        assert approve(waiting, denis)
    assert mailoutbox[0].body.startswith("Bonjour Attente")


def test_a_chosen_language_goes_along_to_the_jupyter_host(alice: Any, signed_in: Callable[[Any], Client]) -> None:
    browser = signed_in(alice)
    opening = "/session/essai/module/m1/ouvrir/carnet/"
    assert "language=" not in browser.get(opening, headers={"accept-language": "en"})["Location"]
    browser.cookies["django_language"] = "en"
    assert browser.get(opening)["Location"].endswith("&language=en")
    browser.cookies["django_language"] = "fr"
    assert browser.get(opening)["Location"].endswith("&language=fr")
