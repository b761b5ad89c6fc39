"""Landlock in a real sandbox: what the file tree allows goes on working, what leads out of it is refused."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from sandbox import landlock
from tests.sandbox.forkd_daemon import Child, Daemon

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root"),
    pytest.mark.skipif(landlock.find_abi() == 0, reason="this kernel has no Landlock"),
]


@pytest.fixture(scope="module", params=["daemon", "user_daemon"])
def child(request) -> Child:
    daemon: Daemon = request.getfixturevalue(request.param)
    child = daemon.child("locked", 200_110)
    yield child
    child.sandbox.kill()
    assert child.sandbox.wait(5)


def test_the_log_says_it(daemon):
    daemon.child("first", 200_111).sandbox.kill()
    assert f" landlock=v{landlock.find_abi()} " in daemon.log


def test_a_folder_outside_the_tree_is_refused(tmp_path):
    """What Landlock alone does: a process that holds a descriptor of a folder of the machine may not use it."""
    tmp_path.chmod(0o777)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "mine").mkdir()
    outside = os.open(tmp_path, os.O_RDONLY)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        answers = []
        os.chdir(tmp_path)
        os.chroot(tmp_path / "mine")
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        landlock.restrict(())
        for action in (
            lambda: os.open("secret", os.O_RDONLY, dir_fd=outside),
            lambda: os.open(".", os.O_RDONLY, dir_fd=outside),
            lambda: os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=outside),
            lambda: Path("/in-the-tree").mkdir(),
            lambda: list(Path("/").iterdir()),
        ):
            try:
                action()
                answers.append("done")
            except OSError as error:
                answers.append(errno.errorcode[error.errno])
        os.write(write, " ".join(answers).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 100).decode().split() == ["EACCES", "EACCES", "EACCES", "EACCES", "done"]
    for descriptor in (outside, read, write):
        os.close(descriptor)


def test_what_programs_need_goes_on(child):
    """Own processes in /proc, terminals, named pipes, memory files, moves between folders, links."""
    script = """
import os, pty, subprocess, tempfile, multiprocessing.shared_memory as shm
home = os.environ["HOME"]
open("/proc/self/comm", "w").write("renamed")
open("/proc/self/oom_score_adj", "w").write("900")
a, b = pty.openpty(); os.write(a, b"x\\n"); os.read(b, 2); os.close(a); os.close(b)
os.makedirs(home + "/d/e", exist_ok=True)
open(home + "/f", "w").close(); os.rename(home + "/f", home + "/d/f"); os.link(home + "/d/f", home + "/d/e/g")
os.symlink("f", home + "/d/s"); os.mkfifo(home + "/d/p"); os.truncate(home + "/d/f", 3)
block = shm.SharedMemory(create=True, size=10); block.close(); block.unlink()
fd = os.memfd_create("m"); open(f"/proc/self/fd/{fd}", "w").close(); os.close(fd)
import shutil; shutil.rmtree(home + "/d")
run = "echo x > /tmp/o; cat < /dev/null; (echo y) 2>&1 | cat; ls /proc/self/fd > /dev/null; exec 3<> /dev/tty || true"
result = subprocess.run(["bash", "-c", run], capture_output=True, text=True).stdout
"""
    assert child.run(script) == "y\n"


def test_signals_and_abstract_sockets_stay_inside(child):
    if landlock.find_abi() < 6:
        pytest.skip("Landlock's scopes are younger than this kernel")
    child.run("import subprocess; p = subprocess.Popen(['sleep', '100']); p.terminate(); result = p.wait()")
    inside = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0own'); s.listen(); c = socket.socket(socket.AF_UNIX); c.connect('\\0own')"
    child.run(inside + "; s.close(); c.close()")
