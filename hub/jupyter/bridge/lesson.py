"""What the Voilà template `pupitre` needs to know of the page it frames: where it belongs, where its assets are."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from hub.jupyter.bridge.folder import split_path
from hub.jupyter.bridge.workshop import WORKSHOP


def describe_lesson(public_url: str, base_url: str, notebook_path: str) -> dict[str, str]:
    """Links of a lesson's header, from where the notebook lies: `<session>/<module>/…` or `atelier/<slug>/…`."""
    parts = split_path(notebook_path.strip("/")) or ()
    lesson = {
        "assets": f"{base_url}pupitre/static/",
        "portal": public_url,
        "back": f"{public_url}/mes-parcours/",
        "back_label": "Mes parcours",
        "exercises": "",
    }
    if len(parts) >= 3 and parts[0] == WORKSHOP:
        lesson |= {"back": f"{base_url}pupitre/{WORKSHOP}/{parts[1]}", "back_label": "Atelier"}
    elif len(parts) >= 3:
        session, module = parts[0], parts[1]
        lesson |= {
            "back": f"{public_url}/session/{session}/module/{module}/",
            "back_label": "Revenir au module",
            "exercises": f"{base_url}pupitre/open?session={session}&module={module}&view=carnet",
        }
        if PurePosixPath(notebook_path).name != "lecon.ipynb":
            lesson["exercises"] = ""
    return lesson


def make_page_config_hook(public_url: str) -> Any:
    """Voilà's hook: adds `pupitre` to what the template receives."""

    def page_config_hook(
        page_config: dict[str, Any], *, base_url: str, notebook_path: str = "", **_: Any
    ) -> dict[str, Any]:
        page_config["pupitre"] = describe_lesson(public_url, base_url, notebook_path)
        # Voilà's own default is a CDN.
        page_config["fullMathjaxUrl"] = f"{base_url}pupitre/static/bridge/mathjax.js"
        return page_config

    return page_config_hook
