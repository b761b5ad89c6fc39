"""Where a learner's program may connect when the network is on: public addresses that are not this machine's, ports 80 and 443.

Laws: an address decides, never a name; what cannot be told to be public is refused.
Source: IANA special-purpose address registries (`ipaddress.is_global`); proc(5) for /proc/net/route and ipv6_route.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PORTS = (80, 443)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
# Parts of it that lead elsewhere: tunnels and translations, in which an address of this machine may hide.
_ELSEWHERE_V6 = [ipaddress.IPv6Network(net) for net in ("2001::/23", "2002::/16", "64:ff9b::/96", "64:ff9b:1::/48")]
_DROPPED_HEADERS = (b"connection", b"keep-alive", b"proxy-")


class DestinationRefused(Exception):
    """A request that is no proxy's, or goes where it may not; `status` is the answer's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Destination:
    """What a program asked for."""

    host: str
    port: int
    head: bytes
    """What is sent there first; empty after CONNECT."""


def parse_head(head: bytes) -> Destination:
    """Read a request's head, up to its empty line.

    Raises
    ------
    DestinationRefused
        Neither CONNECT nor an absolute http address, or a port that is not the web's.
    """
    line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = url.hostname, url.port or 80
    except ValueError as error:
        raise DestinationRefused(400, "not a request") from error
    if not version.startswith("HTTP/1.") or not host or (method != "CONNECT" and url.scheme != "http"):
        raise DestinationRefused(400, "not a request to a proxy")
    if port not in PORTS:
        raise DestinationRefused(403, f"port {port}: only {PORTS} are open")
    if method == "CONNECT":
        return Destination(host, port, b"")
    # One request per connection: the next may be for another host.
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kept = [each for each in headers if not each.lower().startswith(_DROPPED_HEADERS)]
    first = b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), *kept, b"Connection: close"])
    return Destination(host, port, first + b"\r\n\r\n")


def is_allowed(address: str) -> bool:
    """Whether a numeric address is public, and neither this machine nor on a network it is part of."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _PUBLIC_V6 or any(ip in net for net in _ELSEWHERE_V6)):
        return False
    return (
        ip.is_global and not ip.is_multicast and not _is_own(ip) and not any(ip in net for net in find_own_networks())
    )


def _is_own(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """The kernel binds to the machine's own addresses only, whichever they are at this moment."""
    with socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def find_own_networks(proc: Path = Path("/proc/net")) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Networks that this machine reaches without a router: its neighbours, even when their addresses are public."""
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for line in (proc / "route").read_text(encoding="ascii").splitlines()[1:]:
        _, to, gateway, _, _, _, _, mask, *_ = line.split()
        if int(gateway, 16) == 0 and int(mask, 16) != 0:
            first, bits = (int.from_bytes(int(each, 16).to_bytes(4, "little")) for each in (to, mask))
            networks.append(ipaddress.IPv4Network((first, bits.bit_count())))
    if (proc / "ipv6_route").exists():
        for line in (proc / "ipv6_route").read_text(encoding="ascii").splitlines():
            to, length, _, _, gateway, *_ = line.split()
            if int(gateway, 16) == 0 and int(length, 16) != 0:
                networks.append(ipaddress.IPv6Network((int(to, 16), int(length, 16))))
    return networks
