"""The isolated process of one marking run: `main(channel)` runs the cells it is sent, one at a time.

Laws: no secret ever comes here; a test cell arrives when its turn comes and is kept in no history, `In` or linecache;
what happened in it is read from its own execution, never from what the shell displays (a learner can replace that);
no text of a test leaves in an error. Learner's code shares this process: it can watch a test while it runs
(docs/why/engine.md says what this does not promise).
"""

from __future__ import annotations

import ast
import asyncio
import base64
import importlib
import importlib.util
import inspect
import json
import numbers
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook

from graders.engine.capture import Capture, DescriptorReader, redirect_streams
from graders.engine.shell import CellTimeout, add_bundle, make_shell
from graders.engine.wire import LINES_MAX, MESSAGE_CHARS_MAX, check_path

ALARM_AGAIN_S = 0.5
# Kept from before any learner's code runs: replacing `builtins.compile` or `json.dumps` later changes nothing here.
_ends_silently: Any = DisplayHook.semicolon_at_end_of_expression
_compile, _eval, _dumps, _getpid, _exit = compile, eval, json.dumps, os.getpid, os._exit
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
Failure = dict[str, Any]


def main(channel: socket.socket, listen: socket.socket | None = None) -> None:
    """Serve one marking run on `channel`, until the other end closes it."""
    cells = _import_cells()  # before the streams are captured: what is missing is said in the log
    requests = channel.makefile("rb")
    first = json.loads(requests.readline())
    os.environ.update(first["environment"])
    folder = _make_folder(first["files"])
    capture = Capture(first["limits"]["output_bytes"], first["limits"]["rich_bytes"])
    reader = redirect_streams(capture)
    shell = make_shell(capture, tempfile.mkdtemp(prefix="ipython-"))
    _use_folder(folder)
    _seed()
    run = _Run(shell, capture, reader, first["sources"], cells)
    channel.sendall(b'{"nonce": "ready"}\n')
    for line in iter(requests.readline, b""):
        channel.sendall(_dumps(run.execute(json.loads(line))).encode() + b"\n")


def warm_up() -> None:
    """In the nursery, once."""
    from graders.engine.rehearsal import warm

    warm()


def rehearse() -> set[str]:
    """In a sandbox of nobody, once."""
    from graders.engine import rehearsal

    return rehearsal.rehearse()


class _Run:
    """The cells of one notebook in one namespace."""

    def __init__(
        self, shell: Any, capture: Capture, reader: DescriptorReader, sources: dict[str, str], cells: Any
    ) -> None:
        self._shell, self._capture, self._reader = shell, capture, reader
        self._sources, self._cells = sources, cells
        self._owner = os.getpid()
        self._armed = False
        self._pupitre = _find_folder("pupitre")
        signal.signal(signal.SIGALRM, self._on_alarm)

    def execute(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self._run_test if request["kind"] == "test" else self._run_answer
        failure = self._with_timeout(lambda: run(request["source"]), request["timeout_s"])
        if _getpid() != self._owner:
            _exit(0)  # the cell forked and its child came back here
        self._reader.drain()
        return {"nonce": request["nonce"], "outputs": self._capture.take(), "error": failure}

    def _with_timeout(self, run: Callable[[], Failure | None], timeout_s: float) -> Failure | None:
        self._armed = True
        try:
            # A new handler and a repeated alarm: the last cell may have changed one, a bare `except:` may eat the first.
            signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, timeout_s, ALARM_AGAIN_S)
            return run()
        except CellTimeout as error:
            return {**_describe_class(error), "lines": [], "own": False}
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_alarm(self, *_: object) -> None:
        if self._armed and _getpid() == self._owner:
            raise CellTimeout

    def _run_answer(self, source: str) -> Failure | None:
        result = self._shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        if error is None:
            return None
        lines = [error.lineno] if isinstance(error, SyntaxError) and isinstance(error.lineno, int) else []
        return {**_describe(error), "lines": lines, "own": False}

    def _run_test(self, source: str) -> Failure | None:
        """Run a test cell outside the shell's own machinery, under a name nobody can guess."""
        self._cells.SOURCES = dict(self._sources)
        name = f"<{secrets.token_hex(8)}>"
        unders = {key: self._shell.user_ns.get(key) for key in ("_", "__", "___")}
        failure: Failure | None = None
        try:
            value = self._run_source(source, name)
            self._show(value, source)
        except BaseException as error:  # whatever a test raises is its result
            if isinstance(error, CellTimeout):
                raise
            failure = self._describe_in(error, name)
        self._shell.events.trigger("post_execute")  # figures are shown, as after any cell
        self._shell.user_ns.update(unders)
        return failure

    def _run_source(self, source: str, name: str) -> Any:
        """Execute; give the value of the last expression, if the cell ends with one."""
        tree = self._parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._run_code(_compile(tree, name, "exec", _AWAIT, True))
        if not isinstance(last, ast.Expr):
            return None
        return self._run_code(_compile(ast.Expression(last.value), name, "eval", _AWAIT, True))

    def _parse(self, source: str, name: str) -> ast.Module:
        flags = _AWAIT | ast.PyCF_ONLY_AST
        try:
            tree = _compile(source, name, "exec", flags, True)
        except SyntaxError:  # perhaps IPython's own syntax: `%magic`, `!command`
            blank = len(source) - len(source.lstrip("\n"))
            tree = _compile("\n" * blank + self._shell.transform_cell(source), name, "exec", flags, True)
        assert isinstance(tree, ast.Module)  # noqa: S101 — for the type checker
        return tree

    def _run_code(self, code: Any) -> Any:
        value = _eval(code, self._shell.user_ns)
        if code.co_flags & inspect.CO_COROUTINE:
            return asyncio.run(value)
        return value

    def _show(self, value: Any, source: str) -> None:
        """The cell's last value, from which partial points are read."""
        if value is None or _ends_silently(source):
            return
        if type(value) is not bool and isinstance(value, numbers.Real):
            add_bundle(self._capture, "execute_result", {"text/plain": repr(float(value))})
            return
        data, _ = self._shell.display_formatter.format(value)
        add_bundle(self._capture, "execute_result", data)

    def _describe_in(self, error: BaseException, name: str) -> Failure:
        """What failed and on which lines of the test, without a word of the test."""
        files = _files_of(error.__traceback__)
        lines = [line for file, line in files if file == name][:LINES_MAX]
        inside = [file for file, _ in files[next((i for i, f in enumerate(files) if f[0] == name), 0) :]]
        if isinstance(error, SyntaxError) and error.filename == name and error.lineno:
            lines = [error.lineno]
        failure = {**_describe(error), "lines": lines, "own": bool(inside) and inside[-1] == name}
        # A diagnostic counts if only the test and `pupitre` speak: raised from a learner's function it could tell values.
        if all(file == name or file.startswith(self._pupitre) for file in inside):
            failure |= _diagnostic(error)
        return failure


def _describe(error: BaseException) -> Failure:
    try:
        text = str(error)[:MESSAGE_CHARS_MAX]
    except Exception:  # noqa: BLE001 — a learner's own class may do anything
        text = ""
    return {**_describe_class(error), "evalue": text}


def _describe_class(error: BaseException) -> Failure:
    ancestors = [kind.__name__[:100] for kind in type(error).__mro__][:20]
    return {"ename": ancestors[0], "evalue": "", "ancestors": ancestors, "code": "", "message": "", "hidden": False}


def _diagnostic(error: BaseException) -> Failure:
    """Code, sentence and `hidden` of a `CheckFailed` of the library `pupitre`, known by its name."""
    if not any(kind.__name__ == "CheckFailed" for kind in type(error).__mro__):
        return {}
    code, message = getattr(error, "code", ""), getattr(error, "message", "")
    hidden = getattr(error, "hidden", False) is True
    return {"code": str(code or "")[:20], "message": str(message or error)[:MESSAGE_CHARS_MAX], "hidden": hidden}


def _files_of(trace: TracebackType | None) -> list[tuple[str, int]]:
    files = []
    while trace is not None:
        files.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return files


def _make_folder(files: dict[str, str]) -> Path:
    """The released and helper files, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="carnet-"))
    for path, content in files.items():
        target = folder / check_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
    return folder


def _use_folder(folder: Path) -> None:
    """Work there, and import from there last: a learner's `pupitre.py` or `numpy.py` shadows nothing."""
    here = {"", ".", str(Path.cwd())}
    os.chdir(folder)
    sys.path[:] = [path for path in sys.path if path not in here] + [str(folder)]


def _seed() -> None:
    """Forked from one warm process, runs would otherwise draw the same numbers."""
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def _import_cells() -> Any:
    """`pupitre.cells`: tests read the answers' text from its `SOURCES`.

    Without it the run must not begin: notebooks do without `pupitre` where it is not installed, and then check nothing.
    """
    return importlib.import_module("pupitre.cells")


def _find_folder(package: str) -> str:
    spec = importlib.util.find_spec(package)
    return str(Path(spec.origin).parent) + os.sep if spec and spec.origin else "\x00"
