"""Pages of the bridge: their base handler, their templates, and where an error becomes a sentence.

Laws: every page needs the server's owner (JupyterHub's sign-in); an action that changes something and is not bound to a
one-time ticket is a POST with the `_xsrf` field; a BridgeError is shown as its message, anything else as one neutral
sentence with the traceback in the log only.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, StaticFileHandler

from hub.jupyter.bridge.door import AWAY, Door
from hub.jupyter.bridge.errors import BridgeError, DoorError
from hub.jupyter.bridge.homesize import HomeSize
from hub.jupyter.bridge.surroundings import Surroundings
from hub.jupyter.language import Translation, gettext_noop

log = logging.getLogger("pupitre.bridge")

HERE = Path(__file__).resolve().parent
PORTAL_STATIC = HERE.parent.parent / "portal" / "static" / "portal"  # colours are written once, there
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    extensions=[Translation],
    trim_blocks=True,
    lstrip_blocks=True,
)
SLUG = r"[a-z0-9][a-z0-9-]{0,62}"
UNEXPECTED = gettext_noop(
    "Une erreur inattendue s’est produite ; vos fichiers n’ont pas changé. Réessayez ; si cela continue, prévenez votre formateur."
)
INCOMPLETE = gettext_noop("L’adresse est incomplète ou abîmée. Revenez au portail et recommencez.")


@dataclass
class Bridge:
    """What the pages share in one server."""

    surroundings: Surroundings
    home: Path
    door_or_none: Door | None
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    home_size: HomeSize | None = None

    @property
    def door(self) -> Door:
        if self.door_or_none is None:
            raise DoorError("portail_absent", AWAY, 503)
        return self.door_or_none

    def lock(self, name: str) -> asyncio.Lock:
        """Two tabs must not deliver the same module at once."""
        return self.locks.setdefault(name, asyncio.Lock())

    def module_url(self, session: str, module: str) -> str:
        return f"{self.surroundings.public_url}/session/{session}/module/{module}/"


Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


def answer_errors(method: Method) -> Method:
    """Show a BridgeError, or anything unforeseen, as a page with a sentence."""

    @functools.wraps(method)
    async def wrapped(handler: PageHandler, *args: Any, **kwargs: Any) -> None:
        try:
            await method(handler, *args, **kwargs)
        except HTTPError:
            raise
        except BridgeError as error:
            log.warning("%s %s: %s", handler.request.method, handler.request.path, error)
            handler.show_error(error)
        except Exception:
            log.exception("%s %s", handler.request.method, handler.request.path)
            handler.show_error(BridgeError("erreur_inattendue", UNEXPECTED, 500))

    return wrapped  # type: ignore[return-value]


class PageHandler(JupyterHandler):
    """A page of the bridge."""

    @property
    def bridge(self) -> Bridge:
        bridge: Bridge = self.settings["pupitre_bridge"]
        return bridge

    def set_default_headers(self) -> None:
        super().set_default_headers()
        portal = self.bridge.surroundings.public_url
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self' {portal}; "
            "base-uri 'none'; frame-ancestors 'none'",
        )
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")

    def get_slug(self, name: str) -> str:
        value: str = self.get_argument(name, "")
        if not re.fullmatch(SLUG, value):
            raise BridgeError("adresse_incomplete", INCOMPLETE, 400)
        return value

    def server_url(self, *parts: str) -> str:
        """An address of this server, escaped."""
        return url_path_join(self.base_url, *(quote(part) for part in parts))

    def show(self, page: str, *, status: int = 200, **context: Any) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            TEMPLATES.get_template(page).render(
                base=url_path_join(self.base_url, "pupitre/"),
                portal=self.bridge.surroundings.public_url,
                xsrf=self.xsrf_form_html(),
                **context,
            )
        )

    def show_error(self, error: BridgeError) -> None:
        retry = self.request.uri if self.request.method == "GET" else None
        self.show("error.html", status=error.status, error=error, retry=retry)


class AssetHandler(StaticFileHandler):
    """Styles, fonts and MathJax, from this package and from npm packages: nothing is asked from elsewhere."""

    @allow_unauthenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        await super().get(path, include_body)

    @allow_unauthenticated
    async def head(self, path: str) -> None:
        await super().head(path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=86400")


ASSET_FOLDERS = {
    "mathjax": "mathjax/es5",
    "fontawesome": "@fortawesome/fontawesome-free",
    "source-sans": "@fontsource-variable/source-sans-3",
}


def make_asset_routes(base_url: str, node_modules: Path | None) -> list[tuple[Any, ...]]:
    """Routes under `pupitre/static/`: only the named folders of node_modules are reachable."""
    folders = {"bridge": HERE / "static", "portal": PORTAL_STATIC}
    if node_modules is not None:
        folders |= {name: node_modules / folder for name, folder in ASSET_FOLDERS.items()}
    return [
        (url_path_join(base_url, rf"pupitre/static/{name}/(.*)"), AssetHandler, {"path": str(folder)})
        for name, folder in folders.items()
    ]
