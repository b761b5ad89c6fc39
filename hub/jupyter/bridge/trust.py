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
from traitlets.config import Application, Config, JSONFileConfigLoader

from hub.jupyter.bridge.lesson import make_page_config_hook

SHARE = Path(__file__).resolve().parent.parent / "share"
CONFIG = SHARE / "config"


def load_only_our_configuration(public_url: str, extra: Config | None = None) -> None:
    """Bind nbgrader's and Voilà's configuration to `share/config`, and `extra` to what nbgrader reads."""

    def load_nbgrader_config(app: NbGrader, **_: Any) -> None:
        Application.load_config_file(app, "nbgrader_config", path=[str(CONFIG)])
        if extra is not None:
            app.update_config(extra)

    def load_voila_config() -> Config:
        config = JSONFileConfigLoader(filename="voila.json", path=str(CONFIG)).load_config()
        config.VoilaConfiguration.page_config_hook = make_page_config_hook(public_url)
        return config

    NbGrader.load_cwd_config = False
    NbGrader.load_config_file = load_nbgrader_config
    NbGrader.init_syspath = lambda app: None
    voila.server_extension.load_config_file = load_voila_config
