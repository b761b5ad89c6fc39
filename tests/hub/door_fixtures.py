"""Fixtures of the door's tests; the notebooks and assignments are the graders'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.portal import hubapi
from tests.hub.door_caller import Caller


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Callable[[Any], Caller]:
    """calling(alice): the door, called with a token the Hub says is hers. Only the Hub is replaced."""

    def find_owner(token: str) -> hubapi.Owner | None:
        return hubapi.Owner(token.removeprefix("of-"), frozenset()) if token.startswith("of-") else None

    monkeypatch.setattr(hubapi, "get_token_owner", find_owner)
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, state_dir=tmp_path)
    return Caller
