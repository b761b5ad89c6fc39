"""An entry module that warms something up, and imports something else only once it runs."""

import json
import sys

WARMED = []


def warm_up():
    WARMED.append("warm")


def rehearse():
    before = set(sys.modules)
    import xmlrpc.server  # noqa: F401

    return set(sys.modules) - before | {"no_such_module_anywhere", "os.path"}


def main(channel, listen):
    lines = channel.makefile("rwb")
    for _line in iter(lines.readline, b""):
        lines.write(json.dumps({"warmed": WARMED, "imported": "xmlrpc.server" in sys.modules}).encode() + b"\n")
        lines.flush()
