"""The house itself: version, conda file, no download address, no path of a machine, licences."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

from hub.version import __version__

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_version_is_the_first_heading_of_the_changelog() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == __version__


def test_environment_yml_says_the_same_as_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [d for d in conda["dependencies"] if isinstance(d, str)]
    pip = next(d["pip"] for d in conda["dependencies"] if isinstance(d, dict))
    assert f"python{project['requires-python']}" in plain
    node = re.search(r'"node": "(.+?)"', (ROOT / "package.json").read_text(encoding="utf-8"))
    assert node and f"nodejs{node[1]}" in plain
    proxy = re.search(r'"configurable-http-proxy": "\^(.+?)"', (ROOT / "package.json").read_text(encoding="utf-8"))
    assert proxy and f"configurable-http-proxy>={proxy[1]}" in plain
    assert "-e ." in pip


def test_no_download_address_in_lock_files() -> None:
    locks = [file for file in tracked() if file.name == "package-lock.json" or file.parent == ROOT / "requirements"]
    assert len(locks) > 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert '"resolved"' not in text, lock
        assert not re.search(r"--(extra-)?index-url|https?://(?!(127\.0\.0\.1|localhost))\S*(pypi|npmjs)", text), lock


def test_requirements_are_hashed_and_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8").lower()
    for requirement in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)
        assert name and re.search(rf"^{re.escape(name[0].lower())}(\[.*\])?==", base, re.MULTILINE), requirement
    assert base.count("--hash=sha256:") > base.count("==")


def test_no_path_of_one_machine_in_tracked_files() -> None:
    pattern = re.compile(r"(?<![\w/])/(work|root/\.pyenv)/")
    wrong = []
    for file in tracked():
        if file.suffix in {".py", ".md", ".html", ".yml", ".json", ".ipynb", ".toml", ".css", ".js", ""}:
            text = file.read_text(encoding="utf-8", errors="replace")
            wrong += [
                f"{file.relative_to(ROOT)}: {m.group()}" for m in pattern.finditer(text) if file != Path(__file__)
            ]
    assert not wrong


def test_licences() -> None:
    assert "BSD 3-Clause License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    courses = [file.parent for file in (ROOT / "courses").glob("*/course.yml")]
    assert courses
    for course in courses:
        assert "CC BY 4.0" in (course / "LICENSE").read_text(encoding="utf-8"), course


def test_files_stay_small_enough_to_read() -> None:
    """About 300 lines: past 450 a file is more than one noun."""
    long = {
        str(f.relative_to(ROOT)): n
        for f in tracked()
        if f.suffix == ".py" and "migrations" not in f.parts and "tests" not in f.parts
        if (n := f.read_text(encoding="utf-8").count("\n")) > 450
    }
    assert not long
