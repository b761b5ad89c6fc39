"""A person, the real portal and the real Hub, with the project's own configuration: in by the portal, out with it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.environment import ROOT

pytestmark = pytest.mark.hub
PORTAL_TOKEN = "a" * 40
PASSWORD = "un-mot-de-passe-solide"
SEED = f"""
from allauth.account.models import EmailAddress
from django.utils import timezone
from hub.portal.accounts.models import User
for name in ("alice", "bob"):
    user = User.objects.create_user(name + "@example.org", {PASSWORD!r}, display_name=name, approved_at=timezone.now())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    print(name, user.hub_name)
root = User.objects.create_superuser("root@example.org", {PASSWORD!r}, display_name="root")
EmailAddress.objects.create(user=root, email=root.email, verified=True, primary=True)
"""


def free_base_port() -> int:
    """The first of four free ports in a row."""
    for base in range(18800, 19800, 7):
        try:
            for port in range(base, base + 4):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no four free ports in a row")


class Installation:
    """Portal, Hub and proxy in one state folder."""

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self.port = free_base_port()
        self.log = folder / "hub.log"
        self.run_dir = run_dir
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PUPITRE_STATE_DIR": str(folder / "state"),
            "PUPITRE_RUN_DIR": str(run_dir),
            "PUPITRE_PORT": str(self.port),
            "PUPITRE_WORKERS": "1",
        }
        self.portal, self.jupyter = f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}"
        for name in ("servers", "doors"):
            (run_dir / name).mkdir(parents=True)

    def manage(self, *arguments: str, given: str | None = None) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, input=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self) -> dict[str, str]:
        self.manage("migrate", "--verbosity=0")
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        self.manage("ensurehubclient")
        return dict(re.findall(r"^(\w+) (u[a-z2-7]{12})$", self.manage("shell", given=SEED), re.MULTILINE))

    def start(self) -> subprocess.Popen[bytes]:
        config = self.log.with_name("config.py")
        config.write_text(
            f"load_subconfig({str(ROOT / 'jupyterhub_config.py')!r})\n"
            "c.PortalAuthenticator.auth_refresh_age = 1\n"
            f"c.JupyterHub.services[0]['api_token'] = {PORTAL_TOKEN!r}\n"
        )
        with self.log.open("wb") as output:
            command = [sys.executable, "-m", "hub.jupyter.app", "-f", str(config)]
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )

    def make_token(self, name: str) -> str:
        """A token of this person, made inside the Hub with the portal's own right to `tokens`."""
        headers = {"Authorization": f"token {PORTAL_TOKEN}"}
        body = {"scopes": ["read:users:name!user"]}
        answer = httpx.post(f"{self.jupyter}/hub/api/users/{name}/tokens", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 120
        for url in (f"{self.portal}/health", f"{self.jupyter}/hub/api/"):
            while True:
                assert process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-4000:]
                try:
                    if httpx.get(url, timeout=5).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.3)


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    run_dir = Path(f"/tmp/pupitre-identity-{os.getpid()}")  # short: a socket's path holds 107 bytes
    here = Installation(tmp_path_factory.mktemp("identity"), run_dir)
    names = here.prepare()
    process = here.start()
    try:
        here.wait(process)
        yield here, names
    finally:
        process.terminate()  # the Hub alone, as `pupitre stop` does: it ends its own services, one after another
        process.wait(timeout=60)
        shutil.rmtree(run_dir, ignore_errors=True)


class Browser(httpx.Client):
    """Follows redirects between the two hosts, fills forms as a page without JavaScript does."""

    def __init__(self) -> None:
        super().__init__(follow_redirects=True, timeout=30)

    def submit(self, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text
        data = {"csrfmiddlewaretoken": token[1], **fields}
        return self.post(page.url.join(action), data=data, headers={"Referer": str(page.url)})


def arrive(browser: Browser, installation: Any, name: str = "alice") -> httpx.Response:
    """Ask the Hub for a page, be sent to the portal, sign in there, and come back."""
    page = browser.get(f"{installation.jupyter}/hub/token")
    assert str(page.url).startswith(f"{installation.portal}/compte/login/"), page.url
    return browser.submit(page, str(page.url), login=f"{name}@example.org", password=PASSWORD)


def asks_to_sign_in(browser: Browser, installation: Any) -> bool:
    return str(browser.get(f"{installation.jupyter}/hub/token").url).startswith(f"{installation.portal}/compte/login/")


def test_the_hub_signs_in_at_the_portal_and_knows_a_random_name(installation):
    here, names = installation
    with Browser() as browser:
        page = arrive(browser, here)
        assert page.status_code == 200 and str(page.url) == f"{here.jupyter}/hub/token"
        assert names["alice"] in page.text and "alice@example.org" not in page.text
        assert browser.get(f"{here.jupyter}/hub/token").status_code == 200


def test_signing_out_of_the_portal_ends_the_hub_in_this_browser(installation):
    here, _names = installation
    with Browser() as browser:
        arrive(browser, here)
        profile = browser.get(f"{here.portal}/compte/profil/")
        after = browser.submit(profile, "/compte/logout/")
        assert [str(step.url) for step in after.history][-1] == f"{here.jupyter}/hub/logout"
        assert str(after.url) == f"{here.portal}/" and after.status_code == 200
        assert not any(
            "hub" in cookie.name and cookie.value for cookie in browser.cookies.jar if "login" in cookie.name
        )
        assert asks_to_sign_in(browser, here)


def test_a_hub_cookie_kept_after_signing_out_is_worth_nothing(installation):
    here, _names = installation
    with Browser() as browser, Browser() as thief:
        arrive(browser, here)
        for cookie in browser.cookies.jar:
            if "hub" in cookie.name:
                thief.cookies.jar.set_cookie(cookie)
        assert str(thief.get(f"{here.jupyter}/hub/token").url) == f"{here.jupyter}/hub/token"
        browser.submit(browser.get(f"{here.portal}/compte/profil/"), "/compte/logout/")
        time.sleep(1.2)  # auth_refresh_age of this test
        assert asks_to_sign_in(thief, here)


def test_a_deactivated_person_is_out_of_the_hub(installation):
    here, _names = installation
    with Browser() as bob, Browser() as root:
        arrive(bob, here, "bob")
        login = root.get(f"{here.portal}/compte/login/")
        root.submit(login, "/compte/login/", login="root@example.org", password=PASSWORD)
        people = root.get(f"{here.portal}/gestion/comptes/?vue=toutes&q=bob")
        card = root.get(f"{here.portal}" + re.search(r'href="(/gestion/comptes/\d+/)"', people.text)[1])
        done = root.submit(card, f"{card.url.path}desactiver/")
        assert "Compte désactivé" in done.text
        time.sleep(1.2)
        assert asks_to_sign_in(bob, here)


def test_tokens_end_with_the_session_on_the_portal(installation):
    here, names = installation
    with Browser() as browser:
        arrive(browser, here)
        headers = {"Authorization": f"token {here.make_token(names['alice'])}"}
        assert httpx.get(f"{here.jupyter}/hub/api/user", headers=headers).status_code == 200
        browser.submit(browser.get(f"{here.portal}/compte/profil/"), "/compte/logout/")
        deadline = time.monotonic() + 30
        while httpx.get(f"{here.jupyter}/hub/api/user", headers=headers).status_code != 403:
            assert time.monotonic() < deadline, here.log.read_text()[-6000:]
            time.sleep(0.1)


def test_the_learners_socket_reaches_the_door_only(installation):
    here, _names = installation
    transport = httpx.HTTPTransport(uds=str(here.run_dir / "doors" / "portal.sock"))
    with httpx.Client(transport=transport, headers={"X-Forwarded-For": "127.0.0.1"}) as inside:
        for path in (
            "/",
            "/compte/login/",
            "/health",
            "/identity/o/api/token",
            "/administration/",
            "/static/portal/portal.css",
        ):
            assert inside.get(f"http://portal{path}").status_code == 404, path
            assert inside.get(f"http://127.0.0.1{path}").status_code == 404, path
        assert inside.get("http://portal/api/v1/me").status_code in (401, 403)


def test_each_host_hides_the_other(installation):
    here, _names = installation
    assert httpx.get(f"{here.portal}/hub/login").status_code == 404
    assert httpx.get(f"{here.jupyter}/compte/login/").status_code in (302, 404)
