"""The language of what is said on the Jupyter host, without a server: `hub/jupyter/language.py`."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from jinja2 import Environment
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application, RequestHandler

from hub.jupyter.bridge import modules
from hub.jupyter.bridge.errors import BridgeError
from hub.jupyter.language import LanguageOfRequest, Translation, find_language, get_language, ngettext, use_language
from hub.jupyter.spawner import ServerNotStarted


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de-DE,de;q=0.9", "fr"),
        ("de-DE,de;q=0.9,en;q=0.5", "en"),
        ("fr;q=0.3,en;q=0.7", "en"),
        ("en;q=0,fr;q=0.1", "fr"),
        ("*", "fr"),
        ("en;q=beaucoup", "fr"),
        (",;q=,;;;<script>", "fr"),
        ("EN", "en"),
    ],
)
def test_the_language_a_browser_asks_for(accepted: str, language: str) -> None:
    assert find_language(accepted) == language


def said_in(language: str, error: type[Exception], *values: object, **names: object) -> Exception:
    def say() -> Exception:
        use_language(language)
        return error(*values, **names)

    return contextvars.copy_context().run(say)


def test_an_error_speaks_the_language_of_its_request() -> None:
    english = said_in("en", BridgeError, "carnet_absent", modules.NOT_THERE, 404, path="s/m1/<a>.ipynb")
    french = said_in("fr", BridgeError, "carnet_absent", modules.NOT_THERE, 404, path="s/m1/<a>.ipynb")
    assert str(english).startswith("carnet_absent: Your workspace does not contain “s/m1/<a>.ipynb”.")
    assert str(french).startswith("carnet_absent: Votre espace ne contient pas « s/m1/<a>.ipynb ».")


def test_a_sentence_of_the_portal_is_left_as_it_came() -> None:
    assert said_in("en", BridgeError, "refus", "100 % {de} %(ce) texte").args == ("refus: 100 % {de} %(ce) texte",)


def test_a_server_that_does_not_start_says_it_in_the_readers_language() -> None:
    sentence = "Votre dossier personnel n’est pas utilisable. Prévenez l’administrateur."
    assert said_in("en", ServerNotStarted, sentence).args == (
        "Your home folder cannot be used. Tell the administrator.",
    )


def test_a_translated_template_escapes_what_it_is_given() -> None:
    page = Environment(autoescape=True, extensions=[Translation]).from_string(
        "{% trans path=path %}Modifier {{ path }}{% endtrans %}|{{ page_language() }}"
    )

    def render() -> str:
        use_language("en")
        return page.render(path="<'&\">")

    assert contextvars.copy_context().run(render) == "Edit &lt;&#39;&amp;&#34;&gt;|en"
    assert page.render(path="<a>") == "Modifier &lt;a&gt;|fr"


def test_french_counts_zero_as_one() -> None:
    assert [ngettext("un", "plusieurs", count) for count in (0, 1, 2)] == ["un", "un", "plusieurs"]


def test_a_language_ends_with_its_task() -> None:
    async def answer(language: str) -> str:
        use_language(language)
        await asyncio.sleep(0)
        return await asyncio.to_thread(get_language)

    async def two_requests() -> list[str]:
        return await asyncio.gather(answer("en"), answer("fr"))

    assert asyncio.run(two_requests()) == ["en", "fr"]
    assert get_language() == "fr"


class Probe(RequestHandler):
    """Says in which language it would speak."""

    def get(self) -> None:
        self.finish(get_language())


class TestChoice(AsyncHTTPTestCase):
    """The portal's choice, in the address, then in a cookie of this host."""

    def get_app(self) -> Application:
        application = Application([("/", Probe)])
        application.add_transform(LanguageOfRequest)
        return application

    def ask(self, address: str, **headers: str) -> tuple[str, list[str]]:
        answer = self.fetch(address, headers=headers)
        return answer.body.decode(), answer.headers.get_list("Set-Cookie")

    def test_the_choice_goes_before_the_browsers_language_and_is_kept(self) -> None:
        said, cookies = self.ask("/?language=en", **{"Accept-Language": "fr"})
        assert said == "en"
        assert cookies == ["pupitre_language=en; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"]
        assert self.ask("/", **{"Accept-Language": "fr", "Cookie": "pupitre_language=en"}) == ("en", [])
        assert self.ask("/?language=en", Cookie="pupitre_language=en") == ("en", [])

    def test_another_choice_replaces_it(self) -> None:
        said, cookies = self.ask("/?language=fr", **{"Accept-Language": "en", "Cookie": "pupitre_language=en"})
        assert said == "fr"
        assert len(cookies) == 1

    def test_anything_else_is_no_choice(self) -> None:
        for address in ("/?language=de", "/?language=%ff", "/?language=en%0d%0aX:y", "/?language=", "/?langue=en"):
            assert self.ask(address) == ("fr", []), address
        assert self.ask("/", Cookie="pupitre_language=<script>", **{"Accept-Language": "en"}) == ("en", [])
