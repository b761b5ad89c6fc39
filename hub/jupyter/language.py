"""The language of pages on the Jupyter host: what the person chose in the portal, else what the browser asks for, else French.

The portal's choice is a cookie of the portal's host, which this host never sees: the portal writes it into the addresses
it sends people to (`language=en`), and it is kept here in a cookie of this host. Laws: sentences are written in French (the msgid) and translated when they are said, not when they
are imported; what is not said in answer to a request (the relay, the log) is French. Catalogues: `locale/`.
"""

from __future__ import annotations

import gettext as catalogues
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import InternationalizationExtension
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

LOCALE = Path(__file__).resolve().parent / "locale"
SOURCE_LANGUAGE = "fr"
LANGUAGES = (SOURCE_LANGUAGE, "en")
CHOICE = "language"
COOKIE, COOKIE_AGE_S = "pupitre_language", 365 * 24 * 3600

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


def find_language(accepted: str) -> str:
    """The first of our languages in an `Accept-Language` header. Source: RFC 9110, section 12.5.4."""
    weighted = []
    for position, item in enumerate(accepted.split(",")[:20]):
        name, _, weight = item.strip().partition(";q=")
        language = name.strip().lower().partition("-")[0]
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if language in LANGUAGES and 0 < quality <= 1:
            weighted.append((-quality, position, language))
    return min(weighted)[2] if weighted else SOURCE_LANGUAGE


def find_choice(request: HTTPServerRequest) -> str:
    """The language that the portal wrote into the address, "" if none."""
    chosen = request.query_arguments.get(CHOICE, [b""])[0].decode("ascii", "replace")
    return chosen if chosen in LANGUAGES else ""


def get_language() -> str:
    """The language of the request being answered."""
    return _language.get()


def use_language(language: str) -> None:
    """Say everything in this language, from here to the end of the task."""
    _language.set(language)


@lru_cache
def _load_catalogue(language: str) -> catalogues.NullTranslations:
    return catalogues.translation("hub", LOCALE, languages=[language], fallback=True)


def gettext(french: str) -> str:
    """The sentence in the language of the request."""
    language = get_language()
    return french if language == SOURCE_LANGUAGE else _load_catalogue(language).gettext(french)


def ngettext(one: str, several: str, count: int) -> str:
    """The sentence for a count."""
    if get_language() == SOURCE_LANGUAGE:
        return one if abs(count) < 2 else several
    return _load_catalogue(get_language()).ngettext(one, several, count)


def gettext_noop(french: str) -> str:
    """Marks a sentence that is translated later, where it is said."""
    return french


class LanguageOfRequest(OutputTransform):
    """Reads the language of each request, before its handler runs in a task of its own.

    `Application.add_transform` is tornado's one place where every request of an application passes, whatever its handler.
    """

    def __init__(self, request: HTTPServerRequest) -> None:
        self._chosen = find_choice(request)
        kept = request.cookies.get(COOKIE)
        self._cookie_is_right = kept is not None and kept.value == self._chosen
        self._is_secure = request.protocol == "https"
        if self._chosen:
            use_language(self._chosen)
        elif kept is not None and kept.value in LANGUAGES:
            use_language(kept.value)
        else:
            use_language(find_language(request.headers.get("Accept-Language", "")))

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if self._chosen and not self._cookie_is_right:
            secure = "; Secure" if self._is_secure else ""
            value = f"{COOKIE}={self._chosen}; Max-Age={COOKIE_AGE_S}; Path=/; HttpOnly; SameSite=Lax{secure}"
            headers.add("Set-Cookie", value)
        return status_code, headers, chunk


class Translation(InternationalizationExtension):
    """`_("…")` and `{% trans %}` in templates, in the language of the request; `page_language()` is its code."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["page_language"] = get_language
