"""forkd: the small daemon that gives birth to every process that runs learners' code. `python -m sandbox.forkd --help`.

It keeps the list of who lives and decides; its nursery (`sandbox.nursery`), which has everything imported, forks.

Laws: started clean and single-threaded; holds no token and no database; everything it may run stands on its
command line; it answers its owner and root only; every birth and end is one line of its log; SIGTERM ends it and leaves its
children, which a new forkd finds again; an error with one request never ends it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import struct
import sys
from pathlib import Path

from sandbox import namespaces as ns
from sandbox.birth import Home, Plan, get_start_time
from sandbox.cgroup import Cgroups, find_cgroups
from sandbox.childlog import open_log, read_tail
from sandbox.client import Forkd as Client
from sandbox.errors import SandboxError, SandboxRefused
from sandbox.gateway import Gateway
from sandbox.landlock import find_abi
from sandbox.nursery import Nursery, NurseryDied
from sandbox.profile import GRADING_UIDS, PROFILES
from sandbox.rehearsal import Rehearsal, start_rehearsal
from sandbox.request import MAX_LINE_BYTES, EndAll, Request, Signal, load_request
from sandbox.roster import Entry, Roster
from sandbox.settings import Settings, check_reach, find_isolation, load_settings

log = logging.getLogger("forkd")
_REQUEST_TIMEOUT_S = 5.0
_SOCKET_PATH_BYTES = 107  # unix(7): sun_path
_REFUSED_EXIT = 78  # sysexits(3): EX_CONFIG


class Forkd:
    """The daemon: one selector, one request at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.isolation = find_isolation(settings.isolation)
        if self.isolation == "none" and os.geteuid() == 0:
            check_reach([*settings.read_only, settings.homes_dir / "home"])
        self.cgroups = find_cgroups(settings.name) if self.isolation != "none" else Cgroups({}, 0)
        self.roster = Roster(settings.servers_dir)
        self.selector = selectors.DefaultSelector()
        self.nursery = Nursery([*settings.entries.values(), *([settings.zygote] if settings.zygote else [])])
        on = settings.network and self.isolation != "none"
        self.gateway = Gateway(settings.socket.parent / "gateway.sock") if on else None
        self._next_grading = 0

    # --- life --------------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        ns.adopt_orphans()
        for entry in self.roster.load():
            self.selector.register(entry.pidfd, selectors.EVENT_READ, entry)
            log.info("found again label=%s profile=%s pid=%d uid=%d", entry.label, entry.profile, entry.pid, entry.uid)
        self.cgroups.sweep()
        door = self._open_door()
        if self.gateway:
            self.gateway.ensure()
        self._start_nursery()
        stop, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.selector.register(door, selectors.EVENT_READ)
        self.selector.register(stop, selectors.EVENT_READ)
        log.info(
            "ready isolation=%s cgroup=%s landlock=%s network=%s live=%d owner=%d",
            self.isolation,
            f"v{self.cgroups.version}" if self.cgroups.bases else "none",
            f"v{find_abi()}" if self.isolation != "none" and find_abi() else "none",
            "on" if self.gateway else "off",
            len(self.roster),
            self.settings.owner,
        )
        while True:
            for key, _events in self.selector.select():
                if key.fileobj is stop or key.fd == stop:
                    log.info("stopping; %d sandboxes go on", len(self.roster))
                    with contextlib.suppress(FileNotFoundError):
                        self.settings.socket.unlink()
                    self.nursery.close()
                    if self.gateway:
                        self.gateway.close()
                    self.cgroups.close()
                    return
                try:
                    if isinstance(key.data, Entry):
                        self._bury(key.data)
                    elif isinstance(key.data, Rehearsal):
                        self._hear(key.data)
                    elif key.data is self.nursery:
                        self._hear_nursery()
                    else:
                        self._serve(door)
                except Exception:
                    # One sandbox must not end the births of all others.
                    log.exception("event failed")

    def _open_door(self) -> socket.socket:
        """Listen, visible to the owner only; refuse to start beside another forkd."""
        path = self.settings.socket
        if Client(path).answers():
            raise SandboxRefused(f"another forkd listens at {path}")
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        os.umask(0o177)
        door.bind(str(path))
        os.umask(0o077)
        if os.geteuid() == 0:
            os.chown(path, self.settings.owner, -1, follow_symlinks=False)
        door.listen(256)
        return door

    # --- requests ----------------------------------------------------------------------------------------------------
    def _serve(self, door: socket.socket) -> None:
        connection, _ = door.accept()
        with connection:
            try:
                self._check_peer(connection)
                line = _read_line(connection)
                if not line:
                    return  # somebody only looked whether we answer
                answer = self._answer(load_request(line), connection)
            except SandboxError as error:
                log.warning("refused code=%s %s", error.code, error.message)
                answer = {"code": error.code, "error": error.message}
            except OSError as error:
                log.exception("request failed")
                answer = {"code": "system", "error": str(error)}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _check_peer(self, connection: socket.socket) -> None:
        """Raises SandboxRefused unless the caller is the owner or root (unix(7): SO_PEERCRED)."""
        size = struct.calcsize("iII")
        _pid, uid, _gid = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        if uid not in (0, self.settings.owner):
            raise SandboxRefused(f"uid {uid} may not ask", "forbidden")

    def _answer(self, request: Request | Signal | EndAll, connection: socket.socket) -> dict[str, object]:
        match request:
            case Request():
                return self._start(request, connection)
            case Signal():
                for entry in self.roster:
                    if (entry.pid, entry.start_time) == (request.pid, request.start_time):
                        self._signal(entry, signal.SIGKILL if request.kill else signal.SIGTERM)
                        return {"signalled": entry.label}
                raise SandboxRefused(f"pid {request.pid} is no sandbox of mine", "no_such_process")
            case EndAll():
                ended = list(self.roster)
                for entry in ended:
                    self._signal(entry, signal.SIGKILL)
                return {"ended": len(ended)}

    def _signal(self, entry: Entry, number: signal.Signals) -> None:
        log.info("signal label=%s pid=%d %s", entry.label, entry.pid, number.name)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(entry.pidfd, number)

    # --- the nursery -------------------------------------------------------------------------------------------------
    def _start_nursery(self) -> None:
        """Start it if it does not run."""
        old = self.nursery.socket
        if not self.nursery.ensure():
            return
        with contextlib.suppress(KeyError, ValueError):  # the first, or one whose end was heard
            self.selector.unregister(old)
        self.selector.register(self.nursery.socket, selectors.EVENT_READ, self.nursery)

    def _hear_nursery(self) -> None:
        """Once it is warm, each module rehearses, so that what it imports late is imported early; if it died, another."""
        if not self.nursery.hear():
            self.selector.unregister(self.nursery.socket)
            if self.nursery.has_died():
                self._start_nursery()
            return
        for module in self.nursery.modules:
            try:
                self._rehearse(module)
            except (SandboxError, OSError) as error:
                log.error("rehearsal of %s: %s", module, error)  # children will import more, and are as right

    def _rehearse(self, module: str) -> None:
        log_path = self.settings.log_dir / f"rehearsal.{module}.log"
        uid = self._pick_uid(self._pick_grading_uid())
        with open_log(log_path, self.settings.owner) as log_file:
            rehearsal = start_rehearsal(
                self.nursery, module, uid, self.settings.read_only, self.isolation, log_file.fileno()
            )
        self.selector.register(rehearsal.channel, selectors.EVENT_READ, rehearsal)

    def _hear(self, rehearsal: Rehearsal) -> None:
        """A part of what a rehearsal says; at its end, the nursery imports what it names."""
        if not rehearsal.is_over():
            return
        self.selector.unregister(rehearsal.channel)
        names = rehearsal.end()
        self.nursery.preload(names)
        log.info("rehearsed %s modules=%d", rehearsal.module, len(names))

    # --- birth -------------------------------------------------------------------------------------------------------
    def _start(self, request: Request, connection: socket.socket) -> dict[str, object]:
        profile = PROFILES[request.profile]
        if request.profile not in self.settings.entries:
            raise SandboxRefused(f"no entry module for {request.profile}", "bad_profile")
        name, uid = self._pick_name(request)
        if self.roster.find(name) is not None:
            raise SandboxRefused(f"{name} already runs", "already_running")
        home = self._ensure_home(request.label, uid) if profile.keeps_home else None
        log_path = self.settings.log_dir / f"{name}.log"
        listen = self._listen(name) if profile.listens else None
        try:
            with open_log(log_path, self.settings.owner) as log_file:
                plan = self._plan(request, uid, home, name)
                pid = self._give_birth(
                    plan, connection.fileno(), listen.fileno() if listen is not None else None, log_file.fileno()
                )
            start_time = get_start_time(pid)
            entry = Entry(name, request.label, request.profile, uid, pid, start_time, os.pidfd_open(pid))
        except BaseException:
            self.cgroups.remove(name)
            if listen is not None:
                self._unlink_socket(name)
            raise
        finally:
            if listen is not None:
                listen.close()
        self.roster.add(entry)
        self.selector.register(entry.pidfd, selectors.EVENT_READ, entry)
        log.info("start label=%s profile=%s pid=%d uid=%d", request.label, request.profile, pid, uid)
        return {
            "pid": pid,
            "start_time": start_time,
            "socket": str(self.settings.servers_dir / f"{name}.sock") if profile.listens else None,
            "log": str(log_path),
        }

    def _give_birth(self, plan: Plan, channel: int, listen: int | None, log_file: int) -> int:
        self._start_nursery()
        try:
            return self.nursery.give_birth(plan, channel, listen, log_file)
        except NurseryDied as error:
            log.error("%s", error.message)
        self._start_nursery()
        return self.nursery.give_birth(plan, channel, listen, log_file)

    def _plan(self, request: Request, uid: int, home: Home | None, name: str) -> Plan:
        settings = self.settings
        return Plan(
            profile=PROFILES[request.profile],
            label=request.label,
            uid=uid,
            gid=uid if os.geteuid() == 0 else os.getegid(),
            limits=request.limits,
            module=settings.entries[request.profile],
            rehearses=False,
            home=home,
            read_only=settings.read_only,
            doors=settings.doors_dir,
            isolation=self.isolation,
            zygote=settings.zygote if PROFILES[request.profile].listens else None,
            cgroup_procs=self._count(name, request),
            memory_is_counted=self.cgroups.counts_memory,
            gateway=self._find_gateway(request),
        )

    def _find_gateway(self, request: Request) -> Path | None:
        if self.gateway is None or not PROFILES[request.profile].reaches_network:
            return None
        self.gateway.ensure()
        return self.gateway.path

    def _count(self, name: str, request: Request) -> tuple[Path, ...]:
        try:
            return self.cgroups.make(name, request.limits, PROFILES[request.profile].cpu)
        except OSError as error:
            raise SandboxRefused(f"cgroup of {name}: {error}", "system") from error

    def _pick_name(self, request: Request) -> tuple[str, int]:
        """The name of a sandbox (of its log, socket and cgroup) and its uid; without root there is one uid for all."""
        if request.uid is not None:
            return request.label, self._pick_uid(request.uid)
        uid = self._pick_grading_uid()
        return f"grading.{uid}", self._pick_uid(uid)

    def _pick_grading_uid(self) -> int:
        for _ in GRADING_UIDS:
            uid = GRADING_UIDS[self._next_grading % len(GRADING_UIDS)]
            self._next_grading += 1
            if self.roster.find(f"grading.{uid}") is None:
                return uid
        raise SandboxRefused("every grading uid is in use", "system")

    def _pick_uid(self, wanted: int) -> int:
        return wanted if os.geteuid() == 0 else os.geteuid()

    def _ensure_home(self, label: str, uid: int) -> Home:
        """Make the home if it is absent, private to its uid; check it otherwise."""
        root = os.open(self.settings.homes_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        home = Home(self.settings.homes_dir, label)
        try:
            os.mkdir(label, 0o700, dir_fd=root)
        except FileExistsError:
            pass
        else:
            if os.geteuid() == 0:
                os.chown(label, uid, uid, dir_fd=root, follow_symlinks=False)
        finally:
            os.close(root)
        os.close(home.open(uid))
        return home

    def _listen(self, name: str) -> socket.socket:
        """Bind the child's listening socket, in a folder the child never sees."""
        path = self.settings.servers_dir / f"{name}.sock"
        if len(os.fsencode(path)) + len(":80") > _SOCKET_PATH_BYTES:
            raise SandboxRefused(f"{path} is too long for a unix socket", "socket_path")
        self._unlink_socket(name)
        listen = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.umask(0o177)
            listen.bind(str(path))
        finally:
            os.umask(0o077)
        if os.geteuid() == 0:
            os.chown(path, self.settings.owner, -1, follow_symlinks=False)
        listen.listen(256)
        # The Hub writes a server's address with a port, and so calls the path with ":80" at its end.
        Path(f"{path}:80").symlink_to(path.name)
        return listen

    def _unlink_socket(self, name: str) -> None:
        for suffix in (".sock", ".sock:80"):
            with contextlib.suppress(FileNotFoundError):
                (self.settings.servers_dir / f"{name}{suffix}").unlink()

    # --- death -------------------------------------------------------------------------------------------------------
    def _bury(self, entry: Entry) -> None:
        self.selector.unregister(entry.pidfd)
        code: int | str = "unknown"  # not our child: born of an earlier forkd
        with contextlib.suppress(ChildProcessError):
            code = os.waitstatus_to_exitcode(os.waitpid(entry.pid, 0)[1])
        log_path = self.settings.log_dir / f"{entry.name}.log"
        tail = ""
        if not PROFILES[entry.profile].keeps_home:
            # A grading run leaves nothing but this line.
            tail = read_tail(log_path) if code else ""
            with contextlib.suppress(FileNotFoundError):
                log_path.unlink()
        self.roster.remove(entry)
        self.cgroups.remove(entry.name)
        log.info(
            "end label=%s profile=%s pid=%d code=%s%s",
            entry.label,
            entry.profile,
            entry.pid,
            code,
            f" tail={tail!r}" if tail else "",
        )


def _read_line(connection: socket.socket) -> bytes:
    connection.settimeout(_REQUEST_TIMEOUT_S)
    line = b""
    while not line.endswith(b"\n"):
        # A caller waits for the answer before it writes anything else, so there is nothing after the line.
        part = connection.recv(MAX_LINE_BYTES)
        line += part
        if not part and not line:
            return b""
        if not part or len(line) > MAX_LINE_BYTES:
            raise SandboxRefused("no request of one line")
    connection.settimeout(None)
    return line


def main() -> int:
    os.umask(0o022)
    os.environ.clear()
    logging.basicConfig(format="%(asctime)s %(levelname)s forkd %(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        settings = load_settings(sys.argv[1:])
        os.umask(0o077)
        daemon = Forkd(settings)
        if daemon.isolation == "none":
            log.warning("isolation=none: learners are NOT isolated from each other nor from this machine")
        daemon.run()
    except SandboxRefused as error:
        log.error("%s", error.message)
        return _REFUSED_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(main())
