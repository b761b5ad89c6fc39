"""What the server process may execute as configuration: ours, never a file of the person's home.

nbgrader's pages load `nbgrader_config.py` from the working directory, from `~/.jupyter` and from the assignment's folder;
Voilà loads `voila.py` from the working directory. Each would run with the server's token in memory. Both loaders are
replaced, before the extensions that call them are loaded (the server loads extensions in alphabetical order).

nbgrader's *commands*, in a terminal, keep their own loading: no token is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import voila.server_extension
from nbgrader.apps import NbGrader
from traitlets.config import Application, Config
from traitlets.config.loader import JSONFileConfigLoader

from hub.jupyter.bridge.lesson import make_page_config_hook

SHARE = Path(__file__).resolve().parent.parent / "share"
CONFIG = SHARE / "config"
OF_THIS_SERVER = Config()
"""What nbgrader reads besides `share/config`: a review server puts its session's folder here."""


def load_only_our_configuration(public_url: str) -> None:
    """Bind nbgrader's and Voilà's configuration to `share/config`."""

    def load_nbgrader_config(app: NbGrader, **_: Any) -> None:
        Application.load_config_file(app, "nbgrader_config", path=[str(CONFIG)])
        app.update_config(OF_THIS_SERVER)

    def load_voila_config() -> Config:
        config: Config = JSONFileConfigLoader(filename="voila.json", path=str(CONFIG)).load_config()
        config.VoilaConfiguration.page_config_hook = make_page_config_hook(public_url)
        return config

    NbGrader.load_cwd_config = False
    NbGrader.load_config_file = load_nbgrader_config
    NbGrader.init_syspath = lambda app: None
    NbGrader.migrate_config = lambda app: None  # of 2016, and it writes into the configuration, which is read-only
    voila.server_extension.load_config_file = load_voila_config
