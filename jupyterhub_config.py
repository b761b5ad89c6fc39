"""Every JupyterHub setting: only `c.` is set here, values come from `hub.environment`."""

from __future__ import annotations

import secrets
import sys

from hub.environment import ROOT, load_environment
from hub.launch.check import proxy_command
from hub.portal.keys import ensure_secret_file

env = load_environment()
c = get_config()  # noqa: F821  JupyterHub defines it
state, run_dir, python = env.state_dir, env.run_dir, sys.executable
tied = ["setpriv", "--pdeathsig", "TERM"]  # what the Hub manages ends with it, even when it is killed
for_services = {**env.as_variables(), "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "hub.portal.settings"}

# --- two hosts, one port (docs/why/two-hosts.md) ----------------------------------------------------------------------
c.JupyterHub.bind_url = f"http://{env.bind}:{env.port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{env.hub_port}"
c.JupyterHub.subdomain_host = env.jupyter_url
c.JupyterHub.subdomain_hook = lambda name, domain, kind: domain
c.Proxy.extra_routes = {f"{env.portal_host}/": f"http://127.0.0.1:{env.portal_port}"}
c.ConfigurableHTTPProxy.command = [*tied, str(proxy_command(env)), "--log-level=error"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{env.proxy_api_port}"
c.ConfigurableHTTPProxy.pid_file = str(run_dir / "proxy.pid")
c.ConfigurableHTTPProxy.auth_token = ensure_secret_file(state / "keys" / "proxy", secrets.token_hex(32))

# --- state ------------------------------------------------------------------------------------------------------------
c.JupyterHub.db_url = f"sqlite:///{state / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "keys" / "hub-cookie")
c.JupyterHub.cleanup_servers = False  # learners' servers outlive a restart of the Hub

# --- people: the portal is the identity provider (docs/why/identity.md) -----------------------------------------------
identity = f"http://127.0.0.1:{env.portal_port}/identity"
c.JupyterHub.authenticator_class = "hub.jupyter.authenticator.PortalAuthenticator"
c.PortalAuthenticator.client_id = "jupyterhub"
c.PortalAuthenticator.client_secret = ensure_secret_file(state / "keys" / "hub-client", secrets.token_urlsafe(48))
c.PortalAuthenticator.oauth_callback_url = f"{env.jupyter_url}/hub/oauth_callback"
c.PortalAuthenticator.authorize_url = f"{env.public_url}/identity/o/authorize"
c.PortalAuthenticator.token_url = f"{identity}/o/api/token"
c.PortalAuthenticator.userdata_url = f"{identity}/o/api/userinfo"
c.PortalAuthenticator.scope = ["openid", "profile", "email"]
c.PortalAuthenticator.username_claim = "sub"
c.PortalAuthenticator.auto_login = True
c.PortalAuthenticator.allow_all = True  # the portal decides who signs in

# --- learners' servers ------------------------------------------------------------------------------------------------
c.JupyterHub.spawner_class = "hub.jupyter.spawner.WarmSpawner"
c.WarmSpawner.forkd_socket = str(run_dir / "forkd.sock")
c.WarmSpawner.uids_file = str(state / "uids.sqlite")
c.WarmSpawner.mem_limit = env.learner_memory_bytes
c.WarmSpawner.environment = {"PUPITRE_PUBLIC_URL": env.public_url, "PUPITRE_NODE_MODULES": str(env.node_modules)}
c.WarmSpawner.default_url = "/lab"
c.WarmSpawner.consecutive_failure_limit = 0  # failed starts of learners' servers never stop the Hub
c.WarmSpawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    "access:services!service=portal",
    "read:users:name!user",
    "read:users:groups!user",
]
c.JupyterHub.allow_named_servers = True  # relecture-<session>: formgrader in a server of its own
c.JupyterHub.named_server_limit_per_user = 20

# --- services and roles: the smallest scopes that work ----------------------------------------------------------------
c.JupyterHub.services = [
    {
        "name": "portal",
        "command": [*tied, python, "-m", "hub.portal.serve"],
        "environment": for_services,
        "cwd": str(ROOT),
    },
    *(
        {
            "name": f"worker-{n}",
            "command": [*tied, python, "manage.py", "markingworker"],
            "environment": for_services,
            "cwd": str(ROOT),
        }
        for n in range(1, env.workers + 1)
    ),
    {
        "name": "culler",
        "command": [
            *tied,
            python,
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={env.idle_timeout_s}",
            "--cull-every=60",
        ],
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "portal",
        "services": ["portal"],
        "scopes": ["read:users:name", "read:tokens", "tokens", "read:servers", "delete:servers"],
    },
    {
        "name": "culler",
        "services": ["culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
    {"name": "user", "scopes": ["self", "access:services!service=portal"]},
]

# --- pages ------------------------------------------------------------------------------------------------------------
c.JupyterHub.template_paths = [str(ROOT / "hub" / "jupyter" / "share" / "hub-templates")]
c.JupyterHub.template_vars = {"portal_url": env.public_url}
