"""The portal and everything of Jupyter share a port, never an origin (docs/why/two-hosts.md).

Each host answers 404 for the other's paths; no cookie is common; JavaScript of a notebook that a trainer opens, in a lesson
or in an output, reads nothing of the portal and changes nothing there, though it runs in her signed-in browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import people

pytestmark = pytest.mark.browser

# `/` is a page of both; `/health` too, each its own.
OF_THE_PORTAL = [
    "/parcours/essai/",
    "/mes-parcours/",
    "/session/essai/",
    "/session/essai/module/m1/",
    "/session/essai/module/m1/soumettre/",
    "/relecture/",
    "/relecture/essai/",
    "/badges/",
    "/verifier/",
    "/.well-known/did.json",
    "/.well-known/openid-configuration",
    "/gestion/",
    "/gestion/comptes/",
    "/atelier/",
    "/compte/login/",
    "/identity/o/authorize",
    "/identity/o/api/token",
    "/administration/",
    "/premier-acces/x/",
    "/api/v1/me",
    "/static/portal/portal.css",
]
OF_JUPYTER = [
    "/hub/",
    "/hub/home",
    "/hub/login",
    "/hub/oauth_callback",
    "/hub/api/",
    "/hub/api/users",
    "/hub/static/css/style.min.css",
    "/hub/spawn",
    "/hub/user-redirect/lab",
    "/user-redirect/lab",
    "/services/portal/",
    "/user/{name}/",
    "/user/{name}/api/status",
    "/user/{name}/lab",
    "/user/{name}/voila/render/lecon.ipynb",
    "/user/{name}/pupitre/static/bridge/bridge.css",
    "/lab",
    "/tree",
    "/voila/render/lecon.ipynb",
]
ATTACK = """
(async () => {
  const portal = "PORTAL", found = {};
  const attempt = async (name, work) => { try { found[name] = await work(); } catch (error) { found[name] = "refused " + error.name; } };
  const read = async (path, options) => (await fetch(portal + path, {credentials: "include", ...options})).text();
  const silent = async (path, options) => {
    const answer = await fetch(portal + path, {credentials: "include", mode: "no-cors", ...options});
    return `${answer.type} ${answer.status} ${await answer.text()}`;
  };
  const framed = (prepare) => new Promise((done, failed) => {
    const frame = document.createElement("iframe");
    frame.name = "intrus" + Math.random();
    frame.onload = () => {
      try {
        if (frame.contentWindow.location.href !== "about:blank") done("read " + frame.contentWindow.document.body.innerText);
      } catch (error) { failed(error); }
    };
    setTimeout(() => done("nothing came"), 4000);
    prepare(frame);
  });
  const form = (path, fields, target) => {
    const made = document.createElement("form");
    Object.assign(made, {method: "post", action: portal + path, target});
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      Object.assign(input, {type: "hidden", name, value});
      made.append(input);
    }
    document.body.append(made);
    HTMLFormElement.prototype.submit.call(made);
  };
  const named = new URLSearchParams({display_name: "Intrus", csrfmiddlewaretoken: "x"});
  await attempt("mine", async () => (await fetch("MINE", {
    headers: {"X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)[1]},
  })).status);
  await attempt("pages", () => read("/mes-parcours/"));
  await attempt("review", () => read("/relecture/essai/"));
  await attempt("door", () => read("/api/v1/me"));
  await attempt("post", () => read("/compte/profil/", {method: "POST", body: named}));
  await attempt("silent_page", () => silent("/mes-parcours/"));
  await attempt("silent_name", () => silent("/compte/profil/", {method: "POST", body: named}));
  await attempt("silent_enrol", () => silent("/session/essai/inscription/", {method: "POST", body: named}));
  await attempt("silent_sign_out", () => silent("/compte/logout/", {method: "POST", body: named}));
  await attempt("frame", () => framed((frame) => { frame.src = portal + "/mes-parcours/"; document.body.append(frame); }));
  await attempt("form_in_frame", () => framed((frame) => {
    document.body.append(frame);
    form("/compte/profil/", {display_name: "Intrus"}, frame.name);
  }));
  document.documentElement.dataset.attack = JSON.stringify(found);
  setTimeout(() => form("/session/essai/inscription/", {key: ""}, "_top"), 1500);
})();
"""
REFUSED = "refused TypeError"
FRAMED = ("refused TypeError", "refused SecurityError", "nothing came")


def test_each_host_knows_only_its_own_paths_and_cookies(installation: Any, visitor: Callable[..., Page]) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    (tristan,) = people.join(installation, visitor, admin, "Tristan Blanc")
    people.enrol(installation, tristan)
    people.open_notebook(installation, tristan, "m9")
    name = re.findall(r"/user/([^/]+)/", tristan.url)[0]

    # Asked by someone who may see all these pages: only the host is wrong.
    for path in OF_THE_PORTAL:
        answer = tristan.request.get(installation.jupyter_url + path)
        assert answer.status == 404, f"{path} on Jupyter's host: {answer.status} {answer.url}"
    for path in OF_JUPYTER:
        answer = tristan.request.get(installation.public_url + path.format(name=name))
        assert answer.status == 404, f"{path} on the portal's host: {answer.status} {answer.url}"
    assert tristan.request.get(f"{installation.public_url}/mes-parcours/").status == 200
    assert tristan.request.get(f"{installation.jupyter_url}/user/{name}/api/status").status == 200

    port = installation.public_url.rpartition(":")[2]
    for path in ("/mes-parcours/", f"/user/{name}/lab"):
        stranger = httpx.get(installation.public_url + path, headers={"Host": f"ailleurs.example:{port}"})
        assert stranger.status_code in (400, 404) or "/hub/" in stranger.headers["location"], stranger
        assert "pupitre_session" not in stranger.headers.get("set-cookie", "")

    cookies = tristan.context.cookies()
    by_host = {host: {c["name"] for c in cookies if c["domain"] == host} for host in ("127.0.0.1", "localhost")}
    assert "pupitre_session" in by_host["127.0.0.1"]
    assert by_host["localhost"]
    assert by_host["127.0.0.1"].isdisjoint(by_host["localhost"])
    assert {cookie["domain"] for cookie in cookies} == {"127.0.0.1", "localhost"}, "each cookie is one host's"


def test_a_hostile_notebook_cannot_call_the_portal(
    installation: Any, visitor: Callable[..., Page], picture: people.Picture
) -> None:
    admin = visitor()
    people.enter_as_admin(installation, admin)
    (tatiana,) = people.join(installation, visitor, admin, "Tatiana Weber")
    people.give_roles(installation, admin, "essai", "tatiana@exemple.fr", "trainer", "grader")
    people.open_notebook(installation, tatiana, "m9")
    server = tatiana.url.partition("/notebooks/")[0]
    tatiana.on("dialog", lambda dialog: dialog.accept())  # « leave this page? »

    attack = ATTACK.replace("PORTAL", installation.public_url).replace("MINE", f"{server}/api/status")
    in_javascript = f"from IPython.display import Javascript, display\ndisplay(Javascript({attack!r}))"
    in_html = f"from IPython.display import HTML, display\ndisplay(HTML({f'<script>{attack}</script>'!r}))"
    for name, code in (("javascript", in_javascript), ("html", in_html)):
        put_notebook(tatiana, f"{server}/api/contents/{name}.ipynb", code)

    for name in ("javascript", "html"):
        tatiana.goto(f"{server}/lab/tree/{name}.ipynb")
        cell = tatiana.locator(".jp-CodeCell").first
        expect(cell).to_be_visible(timeout=60_000)
        # The execution indicator says idle before a kernel is there, and what is run then is dropped by JupyterLab.
        expect(tatiana.get_by_text("Python 3 (ipykernel) | Inactif")).to_be_visible(timeout=60_000)
        cell.locator(".cm-content").click()
        tatiana.keyboard.press("Shift+Enter")
        check_attack(installation, tatiana, f"{name} in JupyterLab")
        tatiana.goto(f"{server}/voila/render/{name}.ipynb")
        check_attack(installation, tatiana, f"{name} in Voilà")
    picture(tatiana, "40-apres-l-attaque")

    tatiana.goto(f"{installation.public_url}/compte/profil/")
    expect(tatiana.get_by_label("Prénom et nom")).to_have_value("Tatiana Weber")
    tatiana.goto(f"{installation.public_url}/session/essai/")
    expect(tatiana.get_by_role("button", name="S’inscrire")).to_be_visible()


def put_notebook(page: Page, address: str, code: str) -> None:
    """As if it had come in a learner's work: a file of her space."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}
    status = page.evaluate(
        """async ([address, body]) => {
            const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)[1];
            return (await fetch(address, {method: "PUT", body, headers: {"X-XSRFToken": xsrf}})).status;
        }""",
        [address, json.dumps({"type": "notebook", "content": content})],
    )
    assert status in (200, 201)


def check_attack(installation: Any, page: Page, place: str) -> None:
    """The script ran, in her browser, with her cookies for Jupyter; nothing of the portal was readable to it."""
    attacked = page.locator("html[data-attack]")
    expect(attacked).to_be_attached(timeout=60_000)
    found = json.loads(str(attacked.get_attribute("data-attack")))
    assert found.pop("mine") == 200, f"{place}: the script is not as strong as it should be"
    for name in ("pages", "review", "door", "post"):
        assert found.pop(name) == REFUSED, f"{place}: {name}"
    for name in ("silent_page", "silent_name", "silent_enrol", "silent_sign_out"):
        assert found.pop(name) == "opaque 0 ", f"{place}: {name}"
    for name in ("frame", "form_in_frame"):
        assert found.pop(name) in FRAMED, f"{place}: {name}"
    assert found == {}
    # Then it leaves for the portal, posting a form as if she had pressed the button.
    page.wait_for_url(lambda url: url.startswith(installation.public_url), timeout=20_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce formulaire n’est plus valable")
    page.goto(f"{installation.public_url}/mes-parcours/")
    expect(page.get_by_role("heading", name="Mes parcours")).to_be_visible()
