# ruff: noqa: PTH208, PTH116, PTH112, PTH123, SIM115
"""What a hostile learner tries, as a script of their own: prints one JSON object, name to what happened.

Run in a notebook (`exec`) and in a terminal (`python probe.py`); `TARGETS` is put before it: a dict of paths, ports, pids.
Each answer is "refused ERRNO", "absent", or "DONE" and what was got.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess
from pathlib import Path

TARGETS = globals().get("TARGETS") or {"paths": {}, "ports": {}, "pids": {}, "abstract": "", "ours": []}
libc = ctypes.CDLL(None, use_errno=True)
found = {}


def attempt(name, action):
    try:
        found[name] = f"DONE {action()!r}"[:300]
    except OSError as error:
        found[name] = f"refused {errno.errorcode.get(error.errno, error.errno)}"


def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


for name, path in TARGETS["paths"].items():
    attempt(f"path {name}", lambda path=path: os.stat(path))
for name, port in TARGETS["ports"].items():
    for host in ("127.0.0.1", "::1", *TARGETS.get("addresses", [])):
        attempt(
            f"port {name} at {host}", lambda host=host, port=port: socket.create_connection((host, port), 3).close()
        )
for name, pid in TARGETS["pids"].items():
    attempt(f"signal {name}", lambda pid=pid: os.kill(pid, 15))
    attempt(f"/proc {name}", lambda pid=pid: Path(f"/proc/{pid}/environ").read_bytes())
attempt("signal pid 1", lambda: os.kill(1, 9))
attempt("abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0" + TARGETS["abstract"]))

# The server's own token, from the same uid.
servers = [
    p for p in os.listdir("/proc") if p.isdigit() and Path(f"/proc/{p}/comm").read_text().startswith("jupyter-server")
]
found["servers seen"] = len(servers)
for pid in [*servers, "1"]:
    for part in ("environ", "mem", "maps", "auxv", "io", "cwd/.", "root/.", "fd", "map_files"):
        path = f"/proc/{pid}/{part}"
        attempt(
            f"server {part}",
            lambda path=path: os.listdir(path) if os.path.isdir(path) else Path(path).open("rb").read(1),
        )
    attempt("server ptrace", lambda pid=pid: call(101, 16, int(pid), 0, 0))
    attempt("server process_vm_readv", lambda pid=pid: call(310, int(pid), 0, 0, 0, 0, 0))
    attempt("server pidfd_getfd", lambda pid=pid: call(438, os.pidfd_open(int(pid)), 3, 0))
    attempt("server syslog", lambda: call(103, 2, 0, 0))
token_words = [name for name in os.environ if "TOKEN" in name or "SECRET" in name]
found["tokens in the environment"] = token_words

attempt("mount", lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, 0))
attempt("umount", lambda: call(166, b"/home", 2))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("unshare user", lambda: call(272, 0x10000000))
attempt("clone user", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))
attempt("setns", lambda: call(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0))
attempt("keyctl", lambda: call(250, 0, -3, 1))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("io_uring", lambda: call(425, 1, 0))
attempt("userfaultfd", lambda: call(323, 0))
attempt("perf", lambda: call(298, 0, 0, -1, -1, 0))
attempt("module", lambda: call(175, 0, 0, b""))
attempt("reboot", lambda: call(169, 0, 0, 0, 0))
attempt("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet socket", lambda: socket.socket(17, socket.SOCK_RAW, 3))
attempt("device", lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0)))
attempt("root", lambda: os.setuid(0))
attempt("chown", lambda: os.chown(os.environ["HOME"], 0, 0))
attempt("write in the system", lambda: Path("/usr/bin/hostile").write_text(""))
attempt("write in Python", lambda: Path(os.__file__).write_text(""))
attempt("write the host name", lambda: socket.sethostname("hostile"))
attempt("core pattern", lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/tmp/x"))
attempt("cgroup", lambda: os.listdir("/sys/fs/cgroup"))
attempt("disk", lambda: open("/dev/vda", "rb"))
for command in TARGETS.get("setuid", []):
    done = subprocess.run([command, "-c", "id"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    found[f"setuid {command}"] = f"DONE {done.stdout}" if "uid=0" in done.stdout else f"refused {done.returncode}"
found["homes"] = os.listdir("/home")
found["uids seen"] = sorted({os.stat(f"/proc/{p}").st_uid for p in os.listdir("/proc") if p.isdigit()})
print(json.dumps(found))
