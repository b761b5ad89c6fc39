"""What the portal asks JupyterHub: whose token this is, which servers run, and to stop them.

Laws: only the Hub's answer counts, never a name given by the caller; every call has a short timeout and none raises:
a Hub that cannot be reached is "nobody", "nothing" or False, with a line in the log, so that no page fails with it.

The portal is a Hub-managed service (JUPYTERHUB_API_URL and JUPYTERHUB_API_TOKEN are set by the Hub) and needs exactly
these scopes in `jupyterhub_config.py`:

    read:users:name    to be told whose token it shows
    read:servers       list_servers, and progress while a server starts
    delete:servers     stop_servers
    tokens             revoke_tokens (list and delete; the Hub has no smaller scope that deletes)

Never `admin:users`, `users` or `admin:servers`. A learner's token must hold `access:services!service=portal`.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

logger = logging.getLogger(__name__)

ACCESS_SCOPES = frozenset({"access:services!service=portal", "access:services"})
TIMEOUT = httpx.Timeout(5.0, connect=1.0)
OWNER_CACHE_S = 15.0
OWNER_CACHE_ENTRIES = 5000
STOP_TIMEOUT_S = 15.0
"""The Hub answers a stop after `slow_stop_timeout` (10 s) at the latest, with 202 when the server is still stopping."""


@dataclass(frozen=True)
class Owner:
    """Whose token it is."""

    name: str
    """`User.hub_name`."""
    scopes: frozenset[str]


@dataclass(frozen=True)
class Server:
    """One server of a person; the default server's name is empty."""

    name: str
    ready: bool
    pending: str | None
    started_at: str | None


_client: httpx.Client | None = None
_owners: dict[str, tuple[float, Owner]] = {}
_lock = threading.Lock()
_said_absent = False


def _connect() -> httpx.Client | None:
    """The one client of this process; None where no Hub started us."""
    global _client, _said_absent
    url, token = os.environ.get("JUPYTERHUB_API_URL"), os.environ.get("JUPYTERHUB_API_TOKEN")
    if not url or not token:
        if not _said_absent:
            logger.warning("No JUPYTERHUB_API_URL or JUPYTERHUB_API_TOKEN: the Hub is not asked anything.")
            _said_absent = True
        return None
    with _lock:
        if _client is None:
            # trust_env: a proxy set for the machine must not see tokens that go to 127.0.0.1.
            _client = httpx.Client(
                base_url=url.rstrip("/"),
                headers={"Authorization": f"token {token}"},
                timeout=TIMEOUT,
                trust_env=False,
            )
        return _client


def has_hub() -> bool:
    """Whether a Hub started this process."""
    return _connect() is not None


def _call(method: str, path: str, **options: Any) -> httpx.Response | None:
    """The Hub's answer, or None when there is none."""
    client = _connect()
    if client is None:
        return None
    try:
        return client.request(method, path, **options)
    except httpx.HTTPError as error:
        logger.warning("The Hub did not answer %s %s: %s", method, path, error)
        return None


def _read_json(answer: httpx.Response | None, what: str) -> dict[str, Any] | None:
    if answer is None:
        return None
    if answer.status_code == httpx.codes.NOT_FOUND:  # a person who never came to the Hub has nothing there
        return {}
    if answer.status_code != httpx.codes.OK:
        if answer.status_code != httpx.codes.FORBIDDEN:  # what a wrong token gets
            logger.warning("The Hub answered %s to %s", answer.status_code, what)
        return None
    try:
        body = answer.json()
    except ValueError:
        logger.warning("The Hub's answer to %s is not JSON", what)
        return None
    return body if isinstance(body, dict) else None


def get_token_owner(token: str) -> Owner | None:
    """Whose token it is; None for a wrong token, a service's, or one that may not speak to the portal.

    An answer is kept 15 s: a revoked token works no longer than that.
    """
    if not token or not token.isascii() or not token.isprintable() or len(token) > 256:
        return None
    key = hashlib.sha256(token.encode()).hexdigest()
    now = time.monotonic()
    with _lock:
        found = _owners.get(key)
    if found and now < found[0]:
        return found[1]
    body = _read_json(_call("GET", "/user", headers={"Authorization": f"token {token}"}), "whose token is this")
    if body is None or body.get("kind") != "user":
        return None
    name, scopes = body.get("name"), frozenset(map(str, body.get("scopes") or ()))
    if not isinstance(name, str) or not scopes & ACCESS_SCOPES:
        return None
    owner = Owner(name, scopes)
    with _lock:
        if len(_owners) >= OWNER_CACHE_ENTRIES:
            _owners.clear()
        _owners[key] = (now + OWNER_CACHE_S, owner)
    return owner


def forget_owner(hub_name: str) -> None:
    """Ask the Hub again at the next call of this person's tokens."""
    with _lock:
        for key in [key for key, (_until, owner) in _owners.items() if owner.name == hub_name]:
            del _owners[key]


def list_servers(hub_name: str) -> list[Server] | None:
    """The running or starting servers of a person; None when the Hub does not answer."""
    body = _read_json(_call("GET", f"/users/{quote(hub_name, safe='')}"), f"the servers of {hub_name}")
    if body is None:
        return None
    servers = body.get("servers")
    if not isinstance(servers, dict):
        return []
    return [
        Server(str(name), bool(model.get("ready")), model.get("pending"), model.get("started"))
        for name, model in servers.items()
        if isinstance(model, dict)
    ]


def stop_servers(hub_name: str) -> bool:
    """Ask the Hub to stop every server of a person; True when it accepted all of it, or there is none."""
    servers = list_servers(hub_name)
    if servers is None:
        return False
    accepted = True
    user = quote(hub_name, safe="")
    for server in servers:
        path = f"/users/{user}/servers/{quote(server.name, safe='')}" if server.name else f"/users/{user}/server"
        answer = _call("DELETE", path, timeout=STOP_TIMEOUT_S)
        accepted &= answer is not None and answer.status_code in (202, 204, 404)
    return accepted


def revoke_tokens(hub_name: str) -> bool:
    """Delete every API token of a person, their servers' included; True when none is left."""
    forget_owner(hub_name)
    path = f"/users/{quote(hub_name, safe='')}/tokens"
    body = _read_json(_call("GET", path), f"the tokens of {hub_name}")
    if body is None:
        return False
    done = True
    for model in body.get("api_tokens") or ():
        answer = _call("DELETE", f"{path}/{quote(str(model.get('id')), safe='')}")
        done &= answer is not None and answer.status_code in (204, 404)
    forget_owner(hub_name)
    return done
