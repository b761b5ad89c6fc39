"""What a sandbox may use: bombs are contained, full things have an end, and neighbours go on. As root and as an ordinary user."""

from __future__ import annotations

import errno
import os

import pytest

from tests.sandbox.forkd_daemon import LIMITS, refused

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]


def test_tmp_has_an_end(walls):
    fill = "f = open('/tmp/fill', 'wb')\ntry:\n  for _ in range(400): f.write(bytes(1 << 20))\nfinally:\n  f.close(); os.remove('/tmp/fill')"
    assert refused(walls, fill) in (errno.ENOSPC, errno.EFBIG)


def test_open_files_have_an_end(walls):
    many = "files = []\ntry:\n  while True: files.append(open('/dev/null'))\nfinally:\n  n = len(files); [f.close() for f in files]"
    assert refused(walls, many) == errno.EMFILE
    assert walls.run("result = n") <= LIMITS.open_files


def test_fork_bomb_is_contained(running):
    child = running.child("bomb", 200_103)
    bomb = "n = 0\ntry:\n  while True:\n    if os.fork() == 0:\n      import time; time.sleep(100); os._exit(0)\n    n += 1\nexcept OSError as e: result = [n, e.errno]"
    count, number = child.run(bomb)
    assert number == errno.EAGAIN and count < LIMITS.processes
    neighbour = running.child("calm", 200_104)
    assert neighbour.run("import subprocess; result = subprocess.call(['true'])") == 0
    for one in (child, neighbour):
        one.sandbox.kill()
        assert one.sandbox.wait(5)


def test_memory_bomb_is_contained(running):
    child = running.child("greedy", 200_105)
    sizes = "blocks = []\nwhile True: blocks.append(bytearray(32 << 20))"
    try:
        answer = child.ask(sizes)
    except (EOFError, ConnectionResetError):
        assert child.sandbox.wait(5), "killed by its cgroup"
    else:
        assert answer["error"] == "MemoryError", "refused by its rlimit"
        child.sandbox.kill()
    assert running.child("after", 200_106).run("result = 1") == 1


def test_file_size_has_an_end(walls):
    big = "import signal; signal.signal(25, signal.SIG_IGN)\nf = open(os.environ['HOME'] + '/big', 'wb')\ntry:\n  f.truncate(1 << 30)\nfinally:\n  f.close()"
    assert refused(walls, big) == errno.EFBIG
