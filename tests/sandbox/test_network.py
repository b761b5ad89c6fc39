"""`--network on`: the web is reached, this machine and its neighbours are not. A second network namespace plays the internet."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.destination import DestinationRefused, find_own_networks, is_allowed, parse_head
from tests.sandbox.forkd_daemon import ORDINARY_UID, Child, Daemon, running_daemon, wait_for

HEAD = b"\r\nHost: x\r\nProxy-Authorization: y\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n"


def test_heads():
    asked = parse_head(b"GET http://exemple.fr/a/b?c=d HTTP/1.1" + HEAD)
    assert (asked.host, asked.port) == ("exemple.fr", 80)
    assert asked.head == b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    asked = parse_head(b"CONNECT [2606:4700::1111]:443 HTTP/1.1" + HEAD)
    assert (asked.host, asked.port, asked.head) == ("2606:4700::1111", 443, b"")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET / HTTP/1.1", 400),
        (b"GET ftp://exemple.fr/ HTTP/1.1", 400),
        (b"GET http:///etc/passwd HTTP/1.1", 400),
        (b"CONNECT exemple.fr:22 HTTP/1.1", 403),
        (b"CONNECT exemple.fr:99999 HTTP/1.1", 400),
        (b"GET http://exemple.fr:8000/ HTTP/1.1", 403),
        (b"GET http://\xc3\xa9.fr/ HTTP/1.1", 400),
        (b"\x16\x03\x01", 400),
    ],
)
def test_heads_refused(line, status):
    with pytest.raises(DestinationRefused) as refused:
        parse_head(line + HEAD)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.5",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:1.1.1.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "2001:db8::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_the_internets(address):
    assert not is_allowed(address)


def test_neighbours_are_known_from_the_routes(tmp_path):
    (tmp_path / "route").write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    (tmp_path / "ipv6_route").write_text(
        f"{'2a01' + '0' * 28} 40 {'0' * 32} 00 {'0' * 32} 00000100 1 0 00000001 eth0\n"
    )
    assert [str(net) for net in find_own_networks(tmp_path)] == ["192.0.2.0/24", "2a01::/64"]


SERVER = """
import http.server, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"{sys.argv[1]} {self.path} {self.headers.get('Host')}".encode()
        self.send_response(200); self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
    do_POST = do_GET
    def log_message(self, *_): pass
for port in (80, 443, 8080):
    threading.Thread(target=http.server.ThreadingHTTPServer(("0.0.0.0", port), Answer).serve_forever).start()
"""
INTERNET, ROUTER, MACHINE, MACHINE_TOO, PRIVATE, METADATA = (
    "45.45.45.45", "11.0.0.1", "11.0.0.2", "77.77.77.77", "10.20.30.40", "169.254.169.254",
)  # fmt: skip


def ip(pid: int, *commands: str) -> None:
    for command in commands:
        subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", *command.split()], check=True, capture_output=True)


@contextlib.contextmanager
def serving(pid: int | None, name: str) -> Iterator[int]:
    """An HTTP server in the network namespace of `pid`, or in a new one."""
    place = ["unshare", "-n"] if pid is None else ["nsenter", "-t", str(pid), "-n"]
    server = subprocess.Popen([*place, sys.executable, "-c", SERVER, name])
    try:
        yield server.pid
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module", params=[0, ORDINARY_UID], ids=["root", "user"])
def online(request, installation: Path) -> Iterator[Daemon]:
    """forkd in a network namespace of its own, the machine; another one is the internet beyond a router."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root, to make an internet")
    holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
    time.sleep(0.2)
    try:
        with serving(None, "internet") as internet:
            time.sleep(0.3)
            ip(
                holder.pid,
                "link set lo up",
                f"addr add {MACHINE_TOO}/32 dev lo",
                f"link add out type veth peer name in netns {internet}",
            )
            ip(holder.pid, f"addr add {MACHINE}/24 dev out", "link set out up", f"route add default via {ROUTER}")
            ip(
                internet,
                "link set lo up",
                f"addr add {ROUTER}/24 dev in",
                "link set in up",
                f"route add {MACHINE_TOO} via {MACHINE}",
            )
            ip(internet, *(f"addr add {each}/32 dev lo" for each in (INTERNET, PRIVATE, METADATA)))
            prefix = ("nsenter", f"--net=/proc/{holder.pid}/ns/net")
            if request.param:  # enters the network as root, becomes the user afterwards
                prefix = ()
            with serving(holder.pid, "machine"), in_network(holder.pid if request.param else None):
                with running_daemon(installation, uid=request.param, network="on", prefix=prefix) as daemon:
                    yield daemon
                    gateway = find_gateway(daemon)
                wait_for(lambda: not Path(f"/proc/{gateway}").exists() or is_zombie(gateway))
    finally:
        holder.kill()
        holder.wait()


@contextlib.contextmanager
def in_network(pid: int | None) -> Iterator[None]:
    """This process in another network namespace, so that what it starts is there too."""
    if pid is None:
        yield
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    own, other = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    assert libc.setns(other, 0) == 0
    try:
        yield
    finally:
        assert libc.setns(own, 0) == 0
        os.close(own)
        os.close(other)


def find_gateway(daemon: Daemon) -> int:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and b"sandbox.gateway" in (command := (entry / "cmdline").read_bytes()):
                status = (entry / "status").read_text()
                if str(daemon.python).encode() in command and status_uid(status) == (daemon.uid or 99_999):
                    return int(entry.name)
    raise AssertionError(daemon.log)


def status_uid(status: str) -> int:
    return int(status.partition("Uid:\t")[2].split()[0])


def count_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def is_zombie(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    return True


@pytest.fixture(scope="module")
def child(online: Daemon) -> Iterator[Child]:
    child = online.child("surfer", 200_140)
    yield child
    child.sandbox.kill()
    assert child.sandbox.wait(5)


GET = """
import urllib.request, urllib.error
def get(url, data=None):
    try:
        with urllib.request.urlopen(url, data, timeout=20) as answer: return answer.read().decode()
    except urllib.error.HTTPError as error: return f"{error.code}"
"""
TUNNEL = """
import socket
def tunnel(host, port=443):
    with socket.create_connection(("127.0.0.1", 3128), 20) as s, s.makefile("rb") as answer:
        s.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
        status = answer.readline().split()[1].decode()
        while answer.readline().strip(): pass
        if status != "200": return status
        s.sendall(b"GET /t HTTP/1.0\\r\\n\\r\\n")
        return answer.read().decode().partition("\\r\\n\\r\\n")[2]
"""


def test_the_web_is_reached(child):
    assert child.run(GET + f"result = get('http://{INTERNET}/a?b=c')") == f"internet /a?b=c {INTERNET}"
    assert child.run(f"result = get('http://{INTERNET}:443/p', b'body')") == f"internet /p {INTERNET}:443"
    assert child.run(TUNNEL + f"result = tunnel('{INTERNET}')").startswith("internet /t")
    curl = f"import subprocess; result = subprocess.run(['curl', '-s', 'http://{INTERNET}/curl'], capture_output=True, text=True).stdout"
    assert child.run(curl).startswith("internet /curl"), "found by its environment"


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", MACHINE,
        MACHINE_TOO, f"[::ffff:{MACHINE}]", ROUTER, PRIVATE, METADATA, "192.168.1.1", "[fe80::1]", "nulle.part.invalid",
    ],
)  # fmt: skip
def test_this_machine_and_its_networks_are_not(child, host):
    """By any of its addresses, however written; a private network beyond the router; the cloud's metadata; a neighbour."""
    answer = child.run(TUNNEL + f"result = tunnel({host!r})")
    assert answer in ("403", "502") and (answer == "403" or "nulle" in host)
    if host not in ("localhost", "127.0.0.1"):  # which programs do not ask a proxy for
        assert child.run(GET + f"result = get('http://{host}/')") == answer


def test_other_ports_are_closed(child):
    assert child.run(GET + f"result = get('http://{INTERNET}:8080/')") == "403"
    assert child.run(TUNNEL + f"result = tunnel('{INTERNET}', 22)") == "403"


def test_there_is_no_other_way_out(child):
    """The sandbox's own network is as empty as without: no address, no route, no name server."""
    assert child.run("import socket; result = [name for _, name in socket.if_nameindex()]") == ["lo"]
    for host in (INTERNET, MACHINE, ROUTER):
        assert child.ask(f"socket.create_connection(('{host}', 80), 3)")["errno"] == 101, "ENETUNREACH"


def test_neither_marking_nor_review_has_it(online):
    for label, uid, profile in (("attempt-9", None, "grading"), ("claire-relecture", 200_141, "review")):
        child = online.child(label, uid, profile)
        assert child.run("result = [n for n in os.environ if 'proxy' in n.lower()]") == []
        assert child.ask("import socket; socket.create_connection(('127.0.0.1', 3128), 3)")["errno"] == 111
        child.sandbox.kill()
        assert child.sandbox.wait(5)


def test_garbage_harms_nobody(child):
    """Hostile bytes, too many connections, heads that never end: refused, and the next request is served."""
    flood = """
import socket
for garbage in (b"\\0" * 100_000, b"GET " + b"a" * 60_000 + b" HTTP/1.1\\r\\n\\r\\n", b"CONNECT \\xff:443 HTTP/1.1\\r\\n\\r\\n"):
    with socket.create_connection(("127.0.0.1", 3128), 5) as s:
        s.settimeout(5)
        try:
            s.sendall(garbage); s.recv(1000)
        except OSError: pass
many = [socket.create_connection(("127.0.0.1", 3128), 5) for _ in range(100)]
time.sleep(0.3)
[s.close() for s in many]
time.sleep(0.3)
"""
    child.run("import time\n" + flood)
    assert child.run(GET + f"result = get('http://{INTERNET}/again')").startswith("internet /again")


def test_who_the_gateway_is(online, child):
    """An ordinary user, without capabilities; every refusal is in forkd's log."""
    status = dict(
        x.split(":\t", 1) for x in Path(f"/proc/{find_gateway(online)}/status").read_text().splitlines() if ":\t" in x
    )
    assert status["Uid"].split() == [str(online.uid or 99_999)] * 4
    assert int(status["CapEff"], 16) == 0 and (status["NoNewPrivs"] == "1" or online.uid)
    child.run(GET + f"get('http://{MACHINE}/')")
    wait_for(lambda: f"gateway refused label=surfer 403 {MACHINE} is this machine" in online.log)
    assert " network=on " in online.log


def test_an_ended_sandbox_leaves_no_socket(online):
    gateway = find_gateway(online)
    before = count_files(gateway)
    children = [online.child(f"brief-{number}", 200_150 + number) for number in range(3)]
    for child in children:
        assert child.run(GET + f"result = get('http://{INTERNET}/')").startswith("internet")
    assert count_files(gateway) > before
    for child in children:
        child.sandbox.kill()
        assert child.sandbox.wait(5)
    wait_for(lambda: count_files(gateway) <= before)


def test_killed_the_gateway_comes_back(online):
    """With the next server; those that live have no web until they are started again."""
    gateway = find_gateway(online)
    os.kill(gateway, signal.SIGKILL)
    wait_for(lambda: not list(Path(f"/proc/{gateway}/task").glob("*/fd/*")))  # its threads have ended too
    child = online.child("later", 200_160)
    assert child.run(GET + f"result = get('http://{INTERNET}/later')").startswith("internet /later")
    online.crash()
    assert child.run(f"result = get('http://{INTERNET}/orphan')").startswith("internet /orphan"), "forkd is not needed"
    gateway = find_gateway(online)
    online.start()
    again = online.child("again", 200_161)
    assert again.run(GET + f"result = get('http://{INTERNET}/again')").startswith("internet /again")
    assert find_gateway(online) == gateway, "the same, found again"
    for each in (child, again):
        each.sandbox.kill()
        assert each.sandbox.wait(5)
