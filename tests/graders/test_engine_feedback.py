"""The feedback page: what it says, what it never says, and what a hostile notebook cannot make it do."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from graders.engine import sentences
from graders.engine.feedback import render_feedback
from graders.engine.result import CellMark, Result
from tests.graders.engine_fixtures import Mark
from tests.graders.engine_notebooks import COURSE, RIGHT, edit, submission


class Tags(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(name for name, _ in attrs)


def test_marks_and_sentences_are_on_the_page(mark: Mark) -> None:
    content = submission(answers={**RIGHT, "ex-1-2": "def double(x): return 4", "ex-9-1": "Ma réponse"})
    page = render_feedback(mark(COURSE, content), content, "Module 1").decode()
    assert "<strong>1 / 6 points</strong>" in page
    assert "dont 3 en attente de relecture" in page
    assert sentences.HIDDEN_FAILS in page
    assert "def double(x): return 4" in page
    assert '<html lang="fr">' in page and "<caption>" in page and 'scope="row"' in page


def test_hidden_tests_and_what_ran_are_never_on_the_page(mark: Mark) -> None:
    spy = "def double(x):\n    global seen\n    seen = x\n    return 2 * x"
    content = submission(answers={**RIGHT, "ex-1-2": spy})

    def print_what_was_seen(cells):
        cells.append({"cell_type": "code", "metadata": {}, "source": "print('vu', seen * 1000)", "outputs": []})

    content = edit(content, print_what_was_seen)
    result = mark(COURSE, content)
    assert b"vu 21000" in result.notebook
    page = render_feedback(result, content, "Module 1").decode()
    assert "21000" not in page
    assert "secret" not in page and "HIDDEN" not in page


def test_a_hostile_notebook_makes_no_active_page() -> None:
    def change(cells):
        cells[0]["source"] = "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1)) **gras**"
        cells[2]["source"] = "</code></pre><script>alert(2)</script>"
        cells[2]["id"] = "c"
        cells[2]["outputs"] = [
            {"output_type": "stream", "text": "<script>alert(3)</script>"},
            {"output_type": "display_data", "data": {"image/png": 'x" onload="alert(4)'}},
            {"output_type": "display_data", "data": {"image/png": "aGVsbG8="}},
            {"output_type": "display_data", "data": {"text/html": "<iframe src='/hub'></iframe>"}},
            7,
        ]

    content = edit(submission(), change)
    cell = CellMark("ex-1-1-test", "<b>1.1", "auto", 0.5, 1, False, "<script>alert(5)</script>")
    page = render_feedback(Result("marked", cells=[cell]), content, "<script>alert(6)</script>")
    tags = Tags(page)
    assert not {"script", "iframe", "object", "form", "link"} & set(tags.tags)
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert b"javascript:" not in page.replace(b"[a](javascript:alert(1))", b"")
    assert tags.tags.count("img") == 1
    assert "strong" in tags.tags and b"0,5 / 1" in page


def test_a_refusal_says_why(mark: Mark) -> None:
    result = mark(COURSE, b"not json")
    page = render_feedback(result, b"not json", "Module 1").decode()
    assert sentences.REFUSALS["not-a-notebook"] in page
    assert json.dumps(result.cells) == "[]"
