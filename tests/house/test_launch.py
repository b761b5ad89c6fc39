"""The launcher's own parts: processes known by pid and start time, checks that say what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hub.environment import Environment, load_environment
from hub.launch import account, check
from hub.launch.errors import LaunchError
from hub.launch.process import Process, read_process


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = min(probe.getsockname()[1], 65000)
    return load_environment({"PUPITRE_STATE_DIR": str(tmp_path), "PUPITRE_PORT": str(port)})


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_process_is_found_again_and_ended(tmp_path: Path) -> None:
    child = sleeper()
    process = Process.of(child.pid)
    assert process
    process.write(tmp_path / "child.pid")
    assert read_process(tmp_path / "child.pid") == process
    assert process.end(patience_s=5)
    child.wait()
    assert read_process(tmp_path / "child.pid") is None


def test_a_recycled_pid_is_not_taken_for_ours(tmp_path: Path) -> None:
    child = sleeper()
    process = Process.of(child.pid)
    assert process
    replace(process, start_time=process.start_time - 1).write(tmp_path / "old.pid")
    assert read_process(tmp_path / "old.pid") is None
    child.kill()
    child.wait()


def test_a_process_deaf_to_sigterm_is_killed() -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.readline() == b"deaf\n"
    process = Process.of(child.pid)
    assert process and not process.end(patience_s=0.2)
    assert child.wait() == -9
    child.stdout.close()


def test_a_zombie_counts_as_gone() -> None:
    child = subprocess.Popen(["true"])
    while Process.of(child.pid):
        pass
    assert Process.of(child.pid) is None
    child.wait()


def test_busy_port_is_one_sentence_with_the_way_out(environment: Environment) -> None:
    check.check_ports(environment)
    expected = rf"port {environment.hub_port} .*PUPITRE_PORT="
    with socket.create_server(("127.0.0.1", environment.hub_port)), pytest.raises(LaunchError, match=expected):
        check.check_ports(environment)


def test_full_disk_is_one_sentence(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "FREE_BYTES_WANTED", 1 << 60)
    with pytest.raises(LaunchError, match="disque est presque plein"):
        check.check_disk(environment)


def test_missing_tool_is_one_sentence(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match=r"Node\.js est introuvable"):
        check.check_tools(environment)
    monkeypatch.undo()
    with pytest.raises(LaunchError, match="proxy n'est pas installé"):
        check.check_tools(replace(environment, node_modules=tmp_path))


def test_pid_file_that_holds_rubbish_is_no_process(tmp_path: Path) -> None:
    (tmp_path / "x.pid").write_text("not a pid")
    assert read_process(tmp_path / "x.pid") is None
    assert read_process(tmp_path / "absent.pid") is None


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_left_in_the_state_folder_is_given_to_the_service(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUPITRE_RUN_DIR", str(tmp_path / "run"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("root's")
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True)
    (keys / "django").write_text("secret")
    (keys / "link").symlink_to(elsewhere)
    os.link(elsewhere, keys / "second-name")
    account.ensure_folders(
        replace(environment, state_dir=tmp_path / "state"), account.Account(12345, 12345, drops=True)
    )
    assert (keys / "django").stat().st_uid == 12345
    assert elsewhere.stat().st_uid == 0
    assert (keys / "link").lstat().st_uid == 0
