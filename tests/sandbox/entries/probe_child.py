"""A tiny entry module: runs the Python expressions and statements that the test sends, and answers in JSON.

A line is {"run": "<statements that may set `result`>"}; the answer is {"result": …} or {"error": "<type>", "errno": …}.
"""

import json
import os


def main(channel, listen):
    scope = {"channel": channel, "listen": listen, "os": os}
    with channel.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            scope["result"] = None
            try:
                exec(json.loads(line)["run"], scope)
                answer = {"result": scope["result"]}
            except BaseException as error:  # noqa: BLE001 - the test reads it
                answer = {"error": type(error).__name__, "errno": getattr(error, "errno", None), "text": str(error)}
            lines.write(json.dumps(answer) + "\n")
            lines.flush()
