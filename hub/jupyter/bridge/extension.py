"""Puts the bridge into a Jupyter server: what it may trust, its pages, its relay, its review gradebook."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join

from hub.jupyter.bridge import review, workshop
from hub.jupyter.bridge.door import Door
from hub.jupyter.bridge.homesize import HomeSize
from hub.jupyter.bridge.modules import OpenHandler, RestoreHandler, SubmitHandler
from hub.jupyter.bridge.pages import Bridge, make_asset_routes
from hub.jupyter.bridge.relay import Relay
from hub.jupyter.bridge.surroundings import find_token, load_surroundings
from hub.jupyter.bridge.trust import load_only_our_configuration
from hub.jupyter.language import LanguageOfRequest

log = logging.getLogger("pupitre.bridge")


def load_bridge(app: Any) -> Bridge:
    """Called once by the server, before the other extensions (they are loaded in alphabetical order)."""
    logging.getLogger("pupitre").parent = app.log  # one log per server
    surroundings = load_surroundings()
    home = Path(app.root_dir)
    token = find_token(app)
    door = Door(surroundings.portal_socket, token) if surroundings.portal_socket and token else None
    if door is None:
        log.warning("no portal: PUPITRE_PORTAL_SOCKET or the Hub's token is absent")
    bridge = Bridge(surroundings, home, door)
    app.web_app.settings["pupitre_bridge"] = bridge
    app.web_app.add_transform(LanguageOfRequest)
    base_url = app.web_app.settings["base_url"]
    routes: list[tuple[Any, ...]] = [
        (url_path_join(base_url, f"pupitre/{name}"), handler)
        for name, handler in (
            ("open", OpenHandler),
            ("restore", RestoreHandler),
            ("submit", SubmitHandler),
            *workshop.PAGES,
            *review.PAGES,
        )
    ]
    app.web_app.add_handlers(".*$", routes + make_asset_routes(base_url, surroundings.node_modules))
    load_only_our_configuration(surroundings.public_url)
    if surroundings.review_server:
        review.forbid_running(app)
    elif door is not None:
        Relay(surroundings.relay_socket, door).start()
    if surroundings.home_bytes and not surroundings.review_server:
        bridge.home_size = HomeSize(home, surroundings.home_bytes)
        app.io_loop.add_callback(bridge.home_size.watch)
    return bridge
