"""Measuring a home: what counts, what does not, and where it stops."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.quota import measure_folder


def test_what_counts(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    empty = measure_folder(home)
    (outside / "large").write_bytes(bytes(4 << 20))
    (home / "link").symlink_to(outside)
    (home / "a" / "loop").symlink_to(home)
    with (home / "holes").open("wb") as file:
        file.truncate(1 << 40)
    assert measure_folder(home).size_bytes - empty.size_bytes < 64 << 10, "links and holes occupy nothing"
    (home / "a" / "b" / "full").write_bytes(os.urandom(2 << 20))
    os.link(home / "a" / "b" / "full", home / "same")
    usage = measure_folder(home)
    assert 2 << 20 <= usage.size_bytes - empty.size_bytes < (2 << 20) + (64 << 10), "once, with two names"
    assert usage.complete and usage.files == 7


def test_the_walk_is_bounded(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x").touch()
    usage = measure_folder(tmp_path, max_files=25)
    assert not usage.complete and 25 <= usage.files < 40
    assert not measure_folder(tmp_path, max_s=0).complete
    (tmp_path / "0").chmod(0)
    assert measure_folder(tmp_path).complete, "a closed folder is no error"
