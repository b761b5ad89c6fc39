"""The parts of a learner's server that need no Hub: labels, uids, environments, and whose configuration is read."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from hub.jupyter.provisioner import describe_death, make_kernel_command, make_kernel_environment
from hub.jupyter.spawner import make_label
from hub.jupyter.uids import UidsExhausted, ensure_uid

ROOT = Path(__file__).resolve().parents[2]


def test_uids_are_stable_and_start_in_the_range(tmp_path):
    file = tmp_path / "uids.sqlite"
    assert [ensure_uid(file, name) for name in ("alice", "bob", "alice")] == [200_000, 200_001, 200_000]


def test_a_uid_is_never_given_again(tmp_path):
    import contextlib
    import sqlite3

    file = tmp_path / "uids.sqlite"
    given = [ensure_uid(file, name) for name in ("a", "b", "c")]
    with contextlib.closing(sqlite3.connect(file)) as table, table:
        table.execute("DELETE FROM uids")
    assert ensure_uid(file, "d") == max(given) + 1


def test_many_processes_ask_at_once(tmp_path):
    file = tmp_path / "uids.sqlite"
    names = [f"learner-{n % 20}" for n in range(60)]
    with ProcessPoolExecutor(4) as pool:
        given = list(pool.map(ensure_uid, [file] * 60, names))
    assert len(set(given)) == 20
    assert dict(zip(names, given, strict=True)) == {name: ensure_uid(file, name) for name in names}


def test_the_range_has_an_end(tmp_path):
    import contextlib
    import sqlite3

    file = tmp_path / "uids.sqlite"
    ensure_uid(file, "first")
    with contextlib.closing(sqlite3.connect(file)) as table, table:
        table.execute("UPDATE sqlite_sequence SET seq = 1999999")
    with pytest.raises(UidsExhausted):
        ensure_uid(file, "last")
    assert ensure_uid(file, "first") == 200_000


def test_labels_are_plain_short_and_distinct():
    assert make_label("u3f9c2") == "u3f9c2"
    assert make_label("u3f9c2", "relecture-maths") == "u3f9c2-relecture-maths"
    pairs = [
        ("a", "b-c"),
        ("a-b", "c"),
        ("a-b-c", ""),
        ("A", ""),
        ("a", ""),
        ("à", ""),
        ("é", ""),
        ("x" * 60, "y" * 60),
    ]
    labels = [make_label(*pair) for pair in pairs]
    assert len(set(labels)) == len(pairs)
    for label in labels:
        assert len(label) <= 56 and set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_kernel_gets_no_token():
    env = {
        "JUPYTERHUB_API_TOKEN": "secret",
        "JPY_API_TOKEN": "secret",
        "GITHUB_TOKEN": "secret",
        "JUPYTERHUB_API_URL": "http://hub",
        "JUPYTERHUB_USER": "alice",
        "JUPYTER_CONFIG_DIR": "/share",
        "PUPITRE_BRIDGE_SOCKET": "/tmp/bridge.sock",
        "HOME": "/home/alice",
    }
    assert make_kernel_environment(env) == {
        "JUPYTERHUB_USER": "alice",
        "PUPITRE_BRIDGE_SOCKET": "/tmp/bridge.sock",
        "HOME": "/home/alice",
    }


def test_only_our_python_kernel_gets_our_launcher():
    stock = ["python", "-m", "ipykernel_launcher", "-f", "c.json"]
    assert make_kernel_command(stock) == [sys.executable, "-P", "-m", "hub.jupyter.kernel", "-f", "c.json"]
    frozen = ["/venv/bin/python3", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "c.json"]
    assert make_kernel_command(frozen)[2:4] == ["-Xfrozen_modules=off", "-m"]
    for other in (["R", "--slave", "-e", "IRkernel::main()"], ["/opt/bin/xpython", "-f", "c.json"]):
        assert make_kernel_command(other) == other


def test_deaths_have_reasons():
    assert "memory" in describe_death(-9)
    assert describe_death(-11) == "killed by SIGSEGV"
    assert "code 3" in describe_death(3)


def test_only_trusted_configuration_is_read(tmp_path):
    """In a process of its own: the guard is for good."""
    trusted, home = tmp_path / "trusted", tmp_path / "home"
    for folder in (trusted, home):
        folder.mkdir()
        (folder / "x_config.py").write_text(f"c.X.seen = {folder.name!r}\nprint('executed', {folder.name!r})")
        (folder / "y_config.json").write_text(json.dumps({"Y": {"seen": folder.name}}))
    (trusted / "linked_config.py").symlink_to(home / "x_config.py")
    script = f"""
from pathlib import Path
from traitlets.config import Application
from hub.jupyter.trusted import read_configuration_only_from
read_configuration_only_from([Path({str(trusted)!r})])
class X(Application): pass
for name in ("x_config", "y_config", "linked_config"):
    for folder in ({str(home)!r}, {str(trusted)!r}):
        app = X()
        app.load_config_file(name, path=[folder])
        print(name, folder.rpartition("/")[2], dict(app.config))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert "executed home" not in said.stdout and "executed trusted" in said.stdout
    assert "x_config home {}" in lines and "y_config home {}" in lines
    assert "linked_config trusted {}" in lines, "a link out of the trusted folder is not trusted"
    assert any(line.startswith("y_config trusted") and "'trusted'" in line for line in lines)
