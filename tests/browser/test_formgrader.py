"""A grader marks in nbgrader's own formgrader: it opens from the portal, what she types comes back, nothing runs there.

Ferdinand submits an answer that tries to run in his grader's page; Florence marks it; Fabien, a learner, opens a review
server of his own and hers, and sees nothing of others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser import people

pytestmark = pytest.mark.browser

ANSWER = (
    "Ma séance : la loi d'Ohm, $U = RI$, en deux heures.\n\n"
    "<img src=\"x\" onerror=\"document.title = 'intrus'\"><script>document.title = 'intrus'</script>"
)
COMMENT = "Précisez l’évaluation. <b>& bravo</b>"
POST = """async ([path, body]) => {
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)[1];
    const answer = await fetch(path, {
        method: "POST", body: JSON.stringify(body), headers: {"X-XSRFToken": xsrf, "Content-Type": "application/json"},
    });
    return answer.status;
}"""
STATUS = "async (path) => (await fetch(path)).status"


def test_marks_typed_in_formgrader_come_back(
    installation: Any, visitor: Callable[..., Page], picture: people.Picture
) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    names = ("Ferdinand Olive", "Fabien Roux", "Florence Duval")
    ferdinand, fabien, florence = people.join(installation, visitor, admin, *names)
    people.give_roles(installation, admin, "essai", "florence@exemple.fr", "grader")

    people.enrol(installation, ferdinand)
    people.open_notebook(installation, ferdinand, "m9")
    people.write_text_answer(ferdinand, ANSWER)
    people.save(ferdinand)
    people.submit_from_module_page(installation, ferdinand, "m9")
    expect(ferdinand.get_by_text("relecture attendue").first).to_be_visible(timeout=60_000)

    # --- from the review page to the submission -------------------------------------------------------------------------
    florence.goto(f"{installation.public_url}/relecture/essai/")
    link = florence.get_by_role("link", name="Ouvrir formgrader")
    opening = str(link.get_attribute("href"))
    assert "/relecture-" in opening
    link.click()
    florence.wait_for_url(re.compile(r"/user/[^/]+/relecture-[0-9a-f]{12}/formgrader/gradebook"), timeout=90_000)
    server = florence.url.partition("/formgrader/")[0]
    florence.get_by_role("link", name="m9", exact=True).click()
    florence.get_by_role("link", name="exercices", exact=True).click()
    row = florence.locator("tr", has_text="Olive, Ferdinand")
    expect(row).to_be_visible()
    picture(florence, "20-formgrader-remises")
    row.get_by_role("link", name=re.compile("Submission")).click()
    expect(florence.get_by_text("Ma séance : la loi d'Ohm")).to_be_visible()
    expect(florence.locator("mjx-container").first).to_be_visible()
    assert florence.title() == "exercices", "the learner's answer ran in the grader's page"

    # --- the mark and the comment -----------------------------------------------------------------------------------------
    # Its fields are filled when the marks have been read: until then what is typed would be lost.
    expect(florence.locator(".extra-credit").first).to_have_attribute("placeholder", "0")
    expect(florence.locator(".comment").first).to_have_attribute("placeholder", re.compile("comments"))
    for place, typed, kind in ((".score", "6.5", "grade"), (".comment", COMMENT, "comment")):
        field = florence.locator(f"{place}.tabbable").first
        expect(field).to_be_editable()
        field.fill(typed)
        with florence.expect_response(lambda r, kind=kind: f"/api/{kind}/" in r.url and r.request.method == "PUT"):  # type: ignore[misc]
            field.press("Tab")
    picture(florence, "21-formgrader-note")

    # --- nothing runs in this server ------------------------------------------------------------------------------------
    assert florence.evaluate(POST, [f"{server}/api/kernels", {"name": "python3"}]) == 403
    session = {"path": "x.ipynb", "name": "x", "type": "notebook", "kernel": {"name": "python3"}}
    assert florence.evaluate(POST, [f"{server}/api/sessions", session]) == 403
    assert florence.evaluate(POST, [f"{server}/api/terminals", {}]) == 404
    assert florence.evaluate(STATUS, f"{server}/api/terminals") == 404

    # --- back in the portal, for her and for him --------------------------------------------------------------------------
    everything = f"{installation.public_url}/relecture/essai/?voir=tous"
    row = florence.locator("tr", has_text="Ferdinand Olive").first
    wait_until(florence, everything, lambda: "6,5 / 8" in row.inner_text())
    picture(florence, "22-note-revenue")
    florence.get_by_role("link", name="Ferdinand Olive").first.click()
    expect(florence.get_by_label(re.compile("Points")).first).to_have_value("6.5")
    comment = florence.get_by_label(re.compile("Commentaire")).first
    wait_until(florence, florence.url, lambda: comment.input_value() == COMMENT)
    expect(florence.get_by_text("Florence Duval (dans formgrader)")).to_be_visible()
    people.open_module(installation, ferdinand, "m9")
    expect(ferdinand.locator(".feedback-points", has_text="6,5 / 8").first).to_be_visible()
    expect(ferdinand.get_by_text(COMMENT)).to_be_visible()
    expect(ferdinand.locator(".feedback").get_by_text("relu", exact=True)).to_be_visible()
    expect(ferdinand.get_by_text("sera lue par un correcteur")).to_have_count(0)
    picture(ferdinand, "23-note-du-correcteur")

    # --- a learner in a review server: his own, and hers ------------------------------------------------------------------
    people.enrol(installation, fabien)
    people.open_notebook(installation, fabien, "m9")
    hers, his = (re.findall(r"/user/([^/]+)/", page.url)[0] for page in (florence_at(florence, server), fabien))
    fabien.goto(opening.replace(hers, his))
    expect(fabien.get_by_text("Vous ne relisez pas cette session")).to_be_visible(timeout=90_000)
    picture(fabien, "24-relecture-refusee")
    own = server.replace(hers, his)
    assert fabien.url.startswith(own)
    empty = visit(fabien, f"{own}/api/contents/")
    assert empty.json()["content"] == [], "a review server starts empty"
    for address in (
        f"{own}/formgrader/gradebook",
        f"{own}/api/contents/relecture/essai/gradebook.db",
        f"{server}/formgrader/gradebook",
        f"{server}/api/contents/relecture/essai",
    ):
        assert visit(fabien, address).status in (403, 404), address
        assert "Ferdinand" not in fabien.content()


def visit(page: Page, address: str) -> Response:
    answer = page.goto(address)
    assert answer is not None
    return answer


def florence_at(page: Page, server: str) -> Page:
    page.goto(f"{server}/formgrader/gradebook")
    return page


def wait_until(page: Page, address: str, holds: Callable[[], bool], patience_s: float = 20) -> None:
    """Marks typed in formgrader are sent every two seconds: read the page again until they are there."""
    deadline = time.monotonic() + patience_s
    page.goto(address)
    while not holds():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(500)
        page.goto(address)
