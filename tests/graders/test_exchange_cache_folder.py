"""Where nbgrader's exchange keeps a person's submissions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graders.exchange import ExchangeSubmit


def test_the_cache_is_in_jupyters_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert ExchangeSubmit().cache == str(tmp_path / "nbgrader_cache")


def test_the_cache_is_in_the_home_where_that_folder_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "share").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / "share" and access(path, mode))
    assert ExchangeSubmit().cache == str(tmp_path / ".local" / "share" / "jupyter" / "nbgrader_cache")
