"""Runs 1EdTech's Open Badges 2.0 validator (`openbadges`, 2020), whose old pins need a folder of their own: PYTHONPATH names it.

In (stdin):  {"map": {"https://public": "http://127.0.0.1:port"}, "cases": {name: {"badge": address or base64 of a PNG, "email": …}}}
Out (stdout): {name: "" when it accepts, otherwise why it does not}
"""

from __future__ import annotations

import base64
import binascii
import collections
import collections.abc
import io
import json
import logging
import sys
from typing import Any
from urllib.parse import urlsplit

# The validator's python-jose still looks for these where Python 3.9 had them.
for _name in ("Callable", "Iterable", "Mapping", "MutableMapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))

import requests  # noqa: E402
from openbadges.verifier import verify  # type: ignore[import-not-found]  # noqa: E402
from openbadges.verifier.openbadges_context import OPENBADGES_CONTEXT_V2_DICT  # type: ignore[import-not-found]  # noqa: E402

CONTEXT = "https://w3id.org/openbadges/v2"


class Offline(requests.Session):
    """The validator's HTTP client: the portal, and the context from its own package; nothing else exists."""

    map: dict[str, str] = {}

    def get(self, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        if url == CONTEXT:
            answer = requests.Response()
            answer.status_code, answer.url = 200, url
            answer._content = json.dumps(OPENBADGES_CONTEXT_V2_DICT).encode()
            return answer
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self.map:
            raise requests.ConnectionError(f"offline: {url}")
        self.trust_env = False
        return super().get(self.map[origin] + url.removeprefix(origin), timeout=20, **options)


def main() -> None:
    given = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)  # it logs the traceback of every badge that it refuses
    Offline.map = given["map"]
    requests.Session = Offline  # type: ignore[misc]  # what fetch_http_node and the loader of contexts make
    found = {}
    for name, case in given["cases"].items():
        try:
            badge: Any = io.BytesIO(base64.b64decode(case["badge"], validate=True))
        except binascii.Error:
            badge = case["badge"]
        profile = {"id": "https://example.org/me", "type": "Profile", "email": case["email"]}
        try:
            report = verify(badge, profile, use_cache=False, cache_backend=None)["report"]
        except AttributeError:
            # Its own way to say "no badge in this file": it looks for an attribute that its exception lacks.
            found[name] = "no 2.0 badge in the picture"
            continue
        errors = [message["result"] for message in report["messages"] if message["messageLevel"] == "ERROR"]
        found[name] = "" if report["valid"] else "; ".join(errors) or "refused"
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
