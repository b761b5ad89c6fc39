"""The only reader of `PUPITRE_*`: typed, validated once, passed on as values.

Laws: an error names the variable and says what to do; secrets may come from a file (`NAME_FILE`);
nothing here creates a file or opens a socket. Every variable stands in `docs/reference/settings.md` (a test holds it to this table).
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def _find_root() -> Path:
    """The clone: above this file when run from it, above `.venv` when this is the installed copy, else where we are."""
    for folder in (Path(__file__).resolve().parent.parent, Path(sys.prefix).parent):
        if (folder / "jupyterhub_config.py").exists():
            return folder
    return Path.cwd()


ROOT = _find_root()


class EnvironmentVariableError(ValueError):
    """A `PUPITRE_*` variable that cannot be used; the text is for the person who set it."""


@dataclass(frozen=True)
class Environment:
    """Every setting of one installation. Paths are absolute; ports are on 127.0.0.1."""

    public_url: str
    """Origin of the portal, without a final slash."""
    jupyter_url: str
    """Origin of the Hub and of learners' servers; another host than `public_url`, so that no cookie is common."""
    port: int
    """Where the proxy listens."""
    bind: str
    """Address on which the proxy listens."""
    state_dir: Path
    courses_dir: Path
    node_modules: Path
    database_url: str
    """Empty: SQLite in `state_dir`. Otherwise postgresql://user:password@host:port/name."""
    isolation: str
    """"auto" (own uid as root, user namespaces otherwise) or "none" (said at every start)."""
    learner_network: bool
    learner_memory_bytes: int
    home_bytes: int
    """What a home may hold before its owner is told; not enforced."""
    idle_timeout_s: int
    signup: str
    """"approval" (a manager approves), "open" or "closed"."""
    signup_domains: tuple[str, ...]
    """E-mail domains whose people need no approval."""
    issuer_name: str
    """The organisation that issues badges and attestations."""
    issuer_email: str
    issuer_profile: Path | None
    """YAML file: the rest of that organisation's profile, signed into its badges (badges/profile.py)."""
    verifier_hosts: tuple[str, ...]
    """Hosts that `/verifier/` may ask when a person pastes an address; empty: none but ourselves."""
    email_url: str
    """smtp://user:password@host:port?tls=1 ; empty: messages are written to `state_dir/mail/`."""
    email_from: str
    oidc_issuer: str
    """An outside OpenID Connect provider offered at sign-in; empty: none."""
    oidc_client_id: str
    oidc_client_secret: str
    workers: int
    proxies: int
    """Reverse proxies in front of ours, such as the one that holds the certificates: 0 or more."""
    debug: bool

    @property
    def portal_port(self) -> int:
        return self.port + 1

    @property
    def hub_port(self) -> int:
        return self.port + 2

    @property
    def proxy_api_port(self) -> int:
        return self.port + 3

    @property
    def portal_host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def jupyter_host(self) -> str:
        return urlsplit(self.jupyter_url).hostname or ""

    @property
    def run_dir(self) -> Path:
        """Sockets live here: a unix socket's path holds 107 bytes at most, and the proxy lower-cases it."""
        digest = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:10]
        if os.environ.get("PUPITRE_RUN_DIR"):
            return Path(os.environ["PUPITRE_RUN_DIR"])
        uid = os.geteuid()
        return Path(f"/run/pupitre-{digest}" if uid == 0 else f"/tmp/pupitre-{uid}-{digest}")  # noqa: S108  its owner is checked at start

    def as_variables(self) -> dict[str, str]:
        """The same environment as `PUPITRE_*` variables, for a child process."""
        values: dict[str, str] = {"PUPITRE_RUN_DIR": str(self.run_dir)}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                value = "on" if value else "off"
            elif value is None:
                value = ""
            elif isinstance(value, tuple):
                value = ",".join(value)
            values[f"PUPITRE_{field.name.upper()}"] = str(value)
        return values


def load_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read and validate `PUPITRE_*`.

    Raises
    ------
    EnvironmentVariableError
        A value is missing, malformed or contradicts another; the text names the variable.
    """
    given = os.environ if variables is None else variables

    def text(name: str, default: str) -> str:
        file = given.get(f"PUPITRE_{name}_FILE")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise EnvironmentVariableError(f"PUPITRE_{name}_FILE: cannot read {file}: {error.strerror}") from error
        return given.get(f"PUPITRE_{name}", default).strip()

    def parsed(name: str, default: str, parse: Callable[[str], Any], expected: str) -> Any:
        value = text(name, default)
        try:
            return parse(value)
        except (ValueError, KeyError) as error:
            raise EnvironmentVariableError(f"PUPITRE_{name}={value!r}: expected {expected}") from error

    def positive(value: str) -> int:
        number = int(value)
        if number <= 0:
            raise ValueError(value)
        return number

    def count(value: str) -> int:
        number = int(value)
        if number < 0:
            raise ValueError(value)
        return number

    def choice(*allowed: str) -> Callable[[str], str]:
        return lambda value: {word: word for word in allowed}[value]

    def switch(value: str) -> bool:
        return {"on": True, "off": False, "1": True, "0": False, "": False}[value.lower()]

    def origin(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(value)
        return value.rstrip("/")

    def port_number(value: str) -> int:
        number = int(value)
        if not 1 <= number <= 65532:  # three more ports follow it
            raise ValueError(value)
        return number

    def existing_file(value: str) -> Path | None:
        if value and not Path(value).is_file():
            raise ValueError(value)
        return Path(value).absolute() if value else None

    def hosts(value: str) -> tuple[str, ...]:
        names = tuple(name.strip().lower() for name in value.split(",") if name.strip())
        if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name) for name in names):
            raise ValueError(value)
        return names

    port = parsed("PORT", "8000", port_number, "a port from 1 to 65532")
    environment = Environment(
        public_url=parsed(
            "PUBLIC_URL", f"http://127.0.0.1:{port}", origin, "an origin such as https://pupitre.example.org"
        ),
        jupyter_url=parsed(
            "JUPYTER_URL", f"http://localhost:{port}", origin, "an origin such as https://jupyter.example.org"
        ),
        port=port,
        bind=text("BIND", "127.0.0.1"),
        state_dir=Path(text("STATE_DIR", str(ROOT / "var"))).absolute(),
        courses_dir=Path(text("COURSES_DIR", str(ROOT / "courses"))).absolute(),
        node_modules=Path(text("NODE_MODULES", str(ROOT / "node_modules"))).absolute(),
        database_url=text("DATABASE_URL", ""),
        isolation=parsed("ISOLATION", "auto", choice("auto", "none"), "auto or none"),
        learner_network=parsed("LEARNER_NETWORK", "off", switch, "on or off"),
        learner_memory_bytes=parsed("LEARNER_MEMORY_BYTES", str(1 << 30), positive, "a number of bytes"),
        home_bytes=parsed("HOME_BYTES", str(2 << 30), positive, "a number of bytes"),
        idle_timeout_s=parsed("IDLE_TIMEOUT_S", "3600", positive, "a number of seconds"),
        signup=parsed("SIGNUP", "approval", choice("approval", "open", "closed"), "approval, open or closed"),
        signup_domains=tuple(d.strip().lower().lstrip("@") for d in text("SIGNUP_DOMAINS", "").split(",") if d.strip()),
        issuer_name=text("ISSUER_NAME", "Pupitre"),
        issuer_email=text("ISSUER_EMAIL", ""),
        issuer_profile=parsed("ISSUER_PROFILE", "", existing_file, "the path of a file"),
        verifier_hosts=parsed(
            "VERIFIER_HOSTS", "", hosts, "host names separated by commas, such as badges.example.org"
        ),
        email_url=text("EMAIL_URL", ""),
        email_from=text("EMAIL_FROM", "pupitre@localhost"),
        oidc_issuer=text("OIDC_ISSUER", ""),
        oidc_client_id=text("OIDC_CLIENT_ID", ""),
        oidc_client_secret=text("OIDC_CLIENT_SECRET", ""),
        workers=parsed("WORKERS", "2", positive, "a number of workers"),
        proxies=parsed("PROXIES", "0", count, "a number of proxies, 0 or more"),
        debug=parsed("DEBUG", "off", switch, "on or off"),
    )
    if environment.portal_host == environment.jupyter_host:
        raise EnvironmentVariableError(
            "PUPITRE_JUPYTER_URL: its host must differ from PUPITRE_PUBLIC_URL's, or a lesson's JavaScript could reach the portal's cookies"
        )
    if environment.database_url and urlsplit(environment.database_url).scheme not in ("postgresql", "postgres"):
        raise EnvironmentVariableError("PUPITRE_DATABASE_URL: expected postgresql://user:password@host:port/name")
    return environment
