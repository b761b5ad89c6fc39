"""What a learner must not see or do, tried from a real sandbox: as root (a uid per learner) and as an ordinary user.

Each test says which wall it tries. `walls` is a child of each kind; what differs between the two is tested by its own name.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from tests.sandbox.forkd_daemon import ROOT, refused, wait_for

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")]


SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""


def test_own_uid_and_no_privilege(walls, running):
    status = walls.run("result = open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[capabilities], 16) == 0, capabilities
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2" and fields["Umask"] == "0077"
    assert fields["Uid"].split() == [str(running.uid or 200_100)] * 4
    assert fields["Groups"].strip() == ""
    assert walls.run("result = int(open('/proc/self/oom_score_adj').read())") >= 500


def test_only_the_listed_folders_exist(walls):
    top = set(walls.run("result = os.listdir('/')"))
    system = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}
    own = {"etc", "proc", "dev", "tmp", "run", "home"}
    visible = {path.parts[1] for path in (ROOT, Path(sys.base_prefix).resolve())}
    assert top <= system | own | visible, top - (system | own | visible)


@pytest.mark.parametrize(
    "path", ["README.md", "pyproject.toml", "courses", "graders", "hub", "var", ".git", "tests/hub"]
)
def test_the_clone_does_not_exist(walls, path):
    assert (ROOT / path).exists() or path == "var"
    assert walls.run(f"result = os.path.exists({str(ROOT / path)!r})") is False


def test_state_sockets_and_other_homes_do_not_exist(walls, running):
    running.child("neighbour", 200_101).sandbox.kill()
    for path in (
        running.folder / "homes",
        running.folder / "servers",
        running.folder / "forkd.sock",
        running.folder / "log",
    ):
        assert path.exists()
        assert walls.run(f"result = os.path.exists({str(path)!r})") is False, path
    assert walls.run("result = os.listdir('/home')") == ["walls"]


def test_a_private_root_shows_python_and_nothing_else(walls):
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/root"):
        pytest.skip("Python is not under /root here")
    assert walls.run("result = os.listdir('/root')") == [base.parts[2]]
    folder = Path("/root")
    for part in base.parts[2:]:
        assert walls.run(f"result = os.listdir({str(folder)!r})") == [part]
        folder /= part


def test_python_and_tools_work(walls):
    script = "import lzma, sqlite3, ssl, bz2, ctypes; ssl.create_default_context(); print(sqlite3.connect(':memory:'))"
    command = f"[sys.executable, '-c', {script!r}]"
    assert "Connection" in walls.run(f"import subprocess, sys; result = subprocess.check_output({command}, text=True)")
    run = "subprocess.check_output(['bash', '-lc', 'id -un; echo $HOME; python -c \"import numpy; print(numpy.ones(3).sum())\"'"
    assert walls.run(f"result = {run}], text=True, cwd=os.environ['HOME'])").split() == ["walls", "/home/walls", "3.0"]


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr", "/usr/local/bin", "/root", "/run", "/run/pupitre", sys.prefix])
def test_everything_else_is_read_only(walls, folder):
    assert refused(walls, f"open({folder + '/written'!r}, 'w')") in (errno.EROFS, errno.EACCES)


def test_home_tmp_and_shm_can_be_written(walls, running):
    walls.run(
        "open(os.environ['HOME'] + '/mine', 'w').write('x'); open('/tmp/t', 'w').close(); open('/dev/shm/t', 'w').close()"
    )
    written = running.folder / "homes" / "walls" / "mine"
    assert written.read_text() == "x" and written.stat().st_mode & 0o777 == 0o600
    assert not Path("/tmp/t").exists() and not Path("/dev/shm/t").exists()


def test_only_own_processes_are_seen(walls):
    pids = walls.run("result = sorted(int(p) for p in os.listdir('/proc') if p.isdigit())")
    assert pids[0] == 1 and len(pids) < 6
    assert refused(walls, f"os.kill({os.getpid()}, 0)") == errno.ESRCH


def test_no_network_but_itself(walls, running):
    """Neither this machine's ports nor the outside; its own ports work, and are nobody else's."""
    names = walls.run("import socket; result = [name for _, name in socket.if_nameindex()]")
    assert names == ["lo"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert refused(walls, f"socket.create_connection(('127.0.0.1', {port}), 3)") == errno.ECONNREFUSED
    assert refused(walls, "socket.create_connection(('192.0.2.1', 80), 3)") == errno.ENETUNREACH
    port = walls.run("s = socket.create_server(('127.0.0.1', 0)); result = s.getsockname()[1]")
    walls.run(f"socket.create_connection(('127.0.0.1', {port}), 3).close()")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 3)


def test_abstract_sockets_are_its_own(walls):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0pupitre-test-abstract")
        server.listen()
        connect = "s = socket.socket(socket.AF_UNIX); s.connect('\\0pupitre-test-abstract')"
        assert refused(walls, f"import socket; {connect}") == errno.ECONNREFUSED


@pytest.mark.parametrize(
    ("name", "number", "arguments"),
    [
        ("ptrace", 101, "0, 0, 0, 0"),
        ("process_vm_readv", 310, "1, 0, 0, 0, 0, 0"),
        ("mount", 165, "b'none', b'/tmp', b'tmpfs', 0, 0"),
        ("umount2", 166, "b'/tmp', 2"),
        ("unshare newuser", 272, "0x10000000"),
        ("unshare newns", 272, "0x20000"),
        ("setns", 308, "0, 0"),
        ("clone newuser", 56, "0x10000000 | 17, 0, 0, 0, 0"),
        ("keyctl", 250, "0, -3, 1"),
        ("add_key", 248, "b'user', b'x', b'y', 1, -3"),
        ("bpf", 321, "0, 0, 0"),
        ("perf_event_open", 298, "0, 0, -1, -1, 0"),
        ("userfaultfd", 323, "0"),
        ("io_uring_setup", 425, "1, 0"),
        ("kexec_load", 246, "0, 0, 0, 0"),
        ("init_module", 175, "0, 0, b''"),
        ("pidfd_getfd", 438, "0, 0, 0"),
        ("open_by_handle_at", 304, "0, 0, 0"),
        ("chroot", 161, "b'/tmp'"),
        ("reboot", 169, "0, 0, 0, 0"),
    ],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_system_calls_are_refused(walls, name, number, arguments):
    assert refused(walls, SYSCALL + f"call({number}, {arguments})") == errno.EPERM


def test_clone3_is_absent(walls):
    """Its flags cannot be checked; programs fall back to clone."""
    assert refused(walls, SYSCALL + "call(435, 0, 0)") == errno.ENOSYS


@pytest.mark.parametrize(("family", "kind"), [(17, 3), (2, 3 | 1 << 20), (38, 5), (40, 1), (16, 3 | 12 << 20)])
def test_raw_and_strange_sockets_are_refused(walls, family, kind):
    """Packets, raw IP, the kernel's cryptography, virtual machines; netlink beyond one's own interfaces."""
    protocol, kind = kind >> 20, kind & 0xFFFFF
    assert refused(walls, f"import socket; socket.socket({family}, {kind}, {protocol})") == errno.EPERM


def test_setuid_programs_give_nothing(walls):
    script = "import subprocess; r = subprocess.run(['su', '-c', 'id'], capture_output=True, input=b'x\\n'); result = r.returncode"
    assert walls.run(script) != 0
    assert refused(walls, "os.setuid(0)") in (errno.EPERM, errno.EINVAL), "EINVAL: root does not exist here"
    assert refused(walls, "os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0))") == errno.EPERM


def test_init_cannot_be_killed_nor_read(walls):
    walls.run("os.kill(1, 9)")
    assert walls.run("result = 1") == 1
    assert refused(walls, "open('/proc/1/mem', 'rb')") == errno.EACCES


def test_environment_is_clean(walls):
    environ = walls.run("result = dict(os.environ)")
    assert set(environ) == {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE"} - (set() if "LC_CTYPE" in environ else {"LC_CTYPE"})  # fmt: skip
    inherited = walls.run("result = {int(f) for f in os.listdir('/proc/self/fd')}.__len__()")
    assert inherited <= 7, "stdin, stdout, stderr, channel, listening socket, and the listing itself"


def test_terminals_are_its_own(walls):
    assert walls.run("import pty; a, b = pty.openpty(); result = os.ttyname(b)") == "/dev/pts/0"
    assert refused(walls, "import fcntl; fcntl.ioctl(b, 0x5412, b'x')") == errno.EPERM, "TIOCSTI"


def test_doors_are_seen_through_a_read_only_folder(walls, running):
    door = running.folder / "doors" / "hub.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        door.chmod(0o666)
        server.listen()
        walls.run(
            "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/pupitre/hub.sock'); s.sendall(b'hello')"
        )
        connection, _ = server.accept()
        with connection:
            assert connection.recv(5) == b"hello"
    assert refused(walls, "os.remove('/run/pupitre/hub.sock')") in (errno.EROFS, errno.EACCES)
    door.unlink()


def test_grading_has_no_door_and_leaves_nothing(running):
    child = running.child("attempt-1", None, "grading")
    assert child.run("result = os.path.exists('/run/pupitre')") is False
    assert child.run("result = [os.getcwd(), os.listdir('.')]") == ["/home/attempt-1", []]
    child.run("open('answer', 'w').write('x')")
    child.sandbox.kill()
    assert child.sandbox.wait(5)
    assert not list((running.folder / "homes").glob("attempt*"))
    wait_for(lambda: not child.sandbox.log.exists())


def test_grading_ends_when_its_caller_goes(running):
    child = running.child("attempt-2", None, "grading")
    child.run("import signal; signal.signal(15, signal.SIG_IGN)")
    child.sandbox.channel.close()
    assert child.sandbox.wait(5)


def test_killing_the_sandbox_kills_everything_in_it(running):
    child = running.child("many", 200_102)
    script = "import subprocess, sys; [subprocess.Popen(['sleep', '1000'], start_new_session=True) for _ in range(10)]"
    child.run(script)
    running_pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    pids = [p for p in running_pids if is_below(p, child.sandbox.pid)]
    assert len(pids) >= 11
    child.sandbox.kill()
    assert child.sandbox.wait(5)
    wait_for(lambda: not [p for p in pids if Path(f"/proc/{p}").exists()])


def is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
        if pid == ancestor:
            return True
    return False


def test_learners_files_are_closed_to_each_other(daemon):
    """As root, even a process that would see another's home could not read it: another uid owns it, and nobody else may."""
    one, two = daemon.child("one", 200_201), daemon.child("two", 200_202)
    assert one.run("result = os.getuid()") != two.run("result = os.getuid()")
    home = (daemon.folder / "homes" / "one").stat()
    assert (home.st_uid, home.st_mode & 0o777) == (200_201, 0o700)


def test_what_the_log_says(running):
    child = running.child("logged", 200_107)
    child.sandbox.kill()
    child.sandbox.wait(5)
    wait_for(lambda: "end label=logged" in running.log)
    lines = [line for line in running.log.splitlines() if "label=logged" in line]
    assert " start " in lines[0] and " end " in lines[-1]
    assert json.dumps(child.sandbox.pid) in lines[0]
