"""The review pages: who gets in, what they show of a hostile notebook, saving, conflicts (cases 27 to 29 on the pages)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from graders.models import Attempt, Review
from graders.shown import load_shown_cells, render_markdown
from tests.conftest import ESCAPED_NAME

pytestmark = pytest.mark.django_db
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ALLOWED = {"claire": True, "root": True, "alice": False, "bob": False, "denis": False, "chevron": False}


@pytest.fixture
def attempt(alice: Any, submit: Any, run_marking: Any) -> Attempt:
    return run_marking(submit(alice))


@pytest.fixture
def page(attempt: Attempt) -> str:
    return f"/relecture/essai/{attempt.pk}/"


def fields(attempt: Attempt, points: str, comment: str = "", **more: str) -> dict[str, str]:
    cell = attempt.cells.get(kind="manual")
    return {
        "seen_review": str(attempt.review_number),
        f"points-{cell.pk}": points,
        f"comment-{cell.pk}": comment,
        "stay": "1",
        **more,
    }


def stored(attempt: Attempt) -> tuple[float | None, str]:
    cell = attempt.cells.get(kind="manual")
    return cell.manual_points, cell.comment


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_each_role_on_each_page(
    request: pytest.FixtureRequest, signed_in: Any, attempt: Attempt, page: str, name: str
) -> None:
    client = signed_in(request.getfixturevalue(name))
    expected = 200 if ALLOWED[name] else 403
    for address in ("/relecture/", "/relecture/essai/", "/relecture/essai/?voir=tous", page):
        assert client.get(address).status_code == expected, address
    saved = client.post(page, fields(attempt, "1"))
    assert saved.status_code == (302 if ALLOWED[name] else 403)
    assert stored(attempt) == ((1.0, "") if ALLOWED[name] else (None, ""))


def test_visitors_are_asked_to_sign_in(visitor: Any, attempt: Attempt, page: str) -> None:
    for address in ("/relecture/", "/relecture/essai/", page):
        assert visitor.get(address).status_code == 302
    assert visitor.post(page, fields(attempt, "1")).status_code == 302
    assert stored(attempt) == (None, "")


def test_an_attempt_of_another_session_is_not_found(signed_in: Any, claire: Any, autre: Any, attempt: Attempt) -> None:
    from hub.portal.catalogue.models import SessionRole

    SessionRole.objects.create(session=autre, user=claire, role="grader")
    assert signed_in(claire).get(f"/relecture/autre/{attempt.pk}/").status_code == 404
    assert signed_in(claire).post(f"/relecture/autre/{attempt.pk}/", fields(attempt, "1")).status_code == 404
    assert signed_in(claire).get("/relecture/essai/999999/").status_code == 404


def test_lists_show_what_waits(
    signed_in: Any, claire: Any, chevron: Any, submit: Any, run_marking: Any, attempt: Attempt
) -> None:
    run_marking(submit(chevron))
    client = signed_in(claire)
    assert "2 essais attendent" in client.get("/relecture/").content.decode()
    shown = client.get("/relecture/essai/").content.decode()
    assert "&lt;&#x27;&amp;&quot;&gt;" in shown
    assert ESCAPED_NAME not in shown
    assert f"/hub/spawn/{claire.hub_name}/" in shown
    client.post(f"/relecture/essai/{attempt.pk}/", fields(attempt, "1,5"))
    assert "Alice" not in client.get("/relecture/essai/").content.decode()
    assert "Alice" in client.get("/relecture/essai/?voir=tous").content.decode()
    assert client.get("/relecture/essai/?page=zzz").status_code == 200


def test_case_27_saving_then_the_next_one(
    signed_in: Any, claire: Any, chevron: Any, submit: Any, run_marking: Any, attempt: Attempt, page: str
) -> None:
    other = run_marking(submit(chevron))
    client = signed_in(claire)
    saved = client.post(page, {**fields(attempt, "1.5", "Oui,\r\nmais."), "next": "1"})
    assert saved["Location"] == f"/relecture/essai/{other.pk}/"
    assert stored(attempt) == (1.5, "Oui,\nmais.")
    shown = client.get(page).content.decode()
    assert 'value="1.5"' in shown
    assert "Relecture enregistrée" in shown
    last = client.post(f"/relecture/essai/{other.pk}/", {**fields(other, "0"), "next": "1"})
    assert last["Location"] == "/relecture/essai/"
    assert Review.objects.count() == 2


def test_case_28_a_conflict_keeps_what_was_typed(
    signed_in: Any, claire: Any, root: Any, attempt: Attempt, page: str
) -> None:
    assert signed_in(root).post(page, fields(attempt, "1", "de root")).status_code == 302
    refused = signed_in(claire).post(page, fields(attempt, "2", "de claire"))
    assert refused.status_code == 409
    shown = refused.content.decode()
    assert "Une autre personne" in shown
    assert "de claire" in shown
    assert stored(attempt) == (1.0, "de root")


@pytest.mark.parametrize("points", ["3", "-1", "0.3", "nan", "inf", "abc", "1e400", "1_0", "²"])
def test_case_29_wrong_points(signed_in: Any, claire: Any, attempt: Attempt, page: str, points: str) -> None:
    refused = signed_in(claire).post(page, fields(attempt, points, "gardé"))
    assert refused.status_code == 400
    shown = refused.content.decode()
    assert 'aria-invalid="true"' in shown
    assert "gardé" in shown
    assert stored(attempt) == (None, "")


@pytest.mark.parametrize("seen", ["", "x", "-1", "99999999999999999999999"])
def test_case_28_a_form_that_saw_nothing_is_refused(
    signed_in: Any, claire: Any, attempt: Attempt, page: str, seen: str
) -> None:
    assert signed_in(claire).post(page, {**fields(attempt, "1"), "seen_review": seen}).status_code == 409
    assert stored(attempt) == (None, "")


def test_emptied_points_wait_again(signed_in: Any, claire: Any, attempt: Attempt, page: str) -> None:
    client = signed_in(claire)
    client.post(page, fields(attempt, "1"))
    attempt.refresh_from_db()
    client.post(page, fields(attempt, ""))
    attempt.refresh_from_db()
    assert (stored(attempt), attempt.waits_for_grader) == ((None, ""), True)


def notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}).encode()


def code(*outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": "</code><script>alert(1)</script>", "outputs": list(outputs)}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src="https://example.org/x.png" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        '<form action="/compte/"><input name="csrfmiddlewaretoken"><button>Enregistrer</button></form>',
        '<div style="position:fixed;inset:0">x</div>',
        "![x](data:image/svg+xml;base64,AAAA)",
        "<svg onload=alert(1)>",
        '<iframe src="/relecture/"></iframe>',
        '<p class="review-bar" id="refus">x</p>',
    ],
)
def test_markdown_can_do_nothing(text: str) -> None:
    html = render_markdown(text)
    for forbidden in (
        "<script",
        "<img",
        "<form",
        "<input",
        "<button",
        "<svg",
        "<iframe",
        "style=",
        "class=",
        "id=",
        "onerror",
        'href="javascript',
    ):
        assert forbidden not in html


def test_markdown_stays_readable() -> None:
    assert (
        render_markdown("**Bien** `x`\n\n- un\n")
        == "<p><strong>Bien</strong> <code>x</code></p>\n<ul>\n<li>un</li>\n</ul>\n"
    )
    assert 'rel="noopener noreferrer"' in render_markdown("[x](https://example.org)")


def test_outputs_are_text_or_a_checked_picture() -> None:
    picture = base64.b64encode(PNG).decode()
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mrouge\x1b[0m\n"]},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mligne", 3]},
        {"output_type": "display_data", "data": {"image/png": picture, "text/html": "<script>"}},
        {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"<svg onload=alert(1)>").decode()}},
        {"output_type": "display_data", "data": {"image/png": "'><script>"}},
        {"output_type": "execute_result", "data": {"text/html": "<script>alert(1)</script>", "text/plain": "valeur"}},
        {"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}},
        {"output_type": "stream", "text": "x" * 50_000},
        "rien",
        {"output_type": "display_data", "data": 3},
    ]
    (cell,) = load_shown_cells(notebook(code(*outputs)), [])
    kinds = [output.kind for output in cell.outputs]
    assert kinds == ["text", "error", "picture", "note", "note", "text", "note", "note", "text"]
    assert cell.outputs[0].content == "rouge\n"
    assert cell.outputs[2].content == f"data:image/png;base64,{picture}"
    assert cell.outputs[5].content == "valeur"
    assert len(cell.outputs[8].content) < 21_000
    assert not any("<script" in output.content for output in cell.outputs)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"cells": 3}',
        b'{"cells": [3, null]}',
        b"[" * 200_000,
        b'{"cells": [{"metadata": 3, "source": 4}]}',
    ],
)
def test_what_is_no_notebook_shows_nothing_wrong(content: bytes) -> None:
    assert all(cell.source == "" for cell in load_shown_cells(content, []))


def test_a_hostile_notebook_on_the_page(signed_in: Any, claire: Any, alice: Any, submit: Any, run_marking: Any) -> None:
    attempt = run_marking(
        submit(
            alice, text="<script>alert('carnet')</script>", code="return 42  # </code><script>alert('code')</script>"
        )
    )
    response = signed_in(claire).get(f"/relecture/essai/{attempt.pk}/")
    shown = response.content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(&#x27;code&#x27;)" in shown
    assert "unsafe-inline" not in response["Content-Security-Policy"]


def test_an_attempt_that_is_not_marked_is_shown_and_cannot_be_marked(
    signed_in: Any, claire: Any, alice: Any, submit: Any
) -> None:
    attempt = submit(alice)
    page = f"/relecture/essai/{attempt.pk}/"
    client = signed_in(claire)
    shown = client.get(page).content.decode()
    assert "def reponse" in shown
    assert "review-bar" not in shown
    assert client.post(page, {"seen_review": "0", "points-1": "2"}).status_code == 400
