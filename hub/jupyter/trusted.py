"""The deepest place where Jupyter programs read configuration: only files that a learner cannot write are read.

jupyter_server, JupyterLab, nbgrader and Voilà each have their own ways to find configuration (home, working directory,
folder of an assignment). All end in two traitlets loaders; a Python file there is executed. In the process that holds the
Hub's token, both loaders find nothing outside the trusted folders, whoever asks and whenever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from traitlets.config.loader import FileConfigLoader


def get_trusted_folders() -> list[Path]:
    """The installation and the system's configuration: read-only in a sandbox, and never a home."""
    return [Path(sys.prefix), Path("/etc/jupyter"), Path("/usr/local/etc/jupyter"), Path("/etc/ipython")]


def read_configuration_only_from(folders: Iterable[Path]) -> None:
    """From now on, in this process, a configuration file elsewhere does not exist."""
    trusted = [folder.resolve() for folder in folders]
    find_file = FileConfigLoader._find_file

    def find_trusted_file(loader: FileConfigLoader) -> None:
        find_file(loader)
        found = Path(loader.full_filename).resolve()
        if not any(found.is_relative_to(folder) for folder in trusted):
            raise FileNotFoundError(f"{found} is not trusted configuration")

    FileConfigLoader._find_file = find_trusted_file  # type: ignore[method-assign, assignment]
