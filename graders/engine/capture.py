"""Outputs of the cell that runs, inside the isolated process: in order, bounded, text by its head and its tail.

Python's own streams come straight here; what C code and subprocesses write on descriptors 1 and 2 comes through pipes
and a reader thread, so that 50 MB of output cost no memory.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import io
import os
import select
import sys
import termios
import threading
import time
from collections import deque
from typing import Any

OMITTED = "\n[… sortie trop longue : le milieu n’est pas gardé …]\n"
PIECES_MAX = 5000
DRAIN_S = 0.3
Piece = dict[str, Any]


class Capture:
    """The outputs of one cell at a time, as nbformat outputs."""

    def __init__(self, text_bytes: int, rich_bytes: int) -> None:
        self._half = text_bytes // 2
        self._rich_max = rich_bytes
        self._lock = threading.Lock()
        self._clear()

    def add_text(self, name: str, text: str) -> None:
        if not text:
            return
        with self._lock:
            room = self._half - self._head_size
            if room > 0:
                self._append(self._head, name, text[:room])
                self._head_size += min(room, len(text))
                text = text[room:]
            if text:
                self._add_tail(name, text)

    def add_rich(self, output: Piece, size: int) -> None:
        """A picture, a result or an error, if there is room for it."""
        with self._lock:
            if self._rich_size + size > self._rich_max:
                self._dropped = True
                return
            self._rich_size += size
            (self._tail if self._tail else self._head).append(output)

    def forget(self) -> None:
        """`clear_output()`."""
        with self._lock:
            self._clear()

    def take(self) -> list[Piece]:
        """The outputs since the last call."""
        with self._lock:
            outputs = list(self._head)
            if self._dropped:
                outputs.append(_text_piece("stdout", OMITTED))
            outputs.extend(self._tail)
            self._clear()
        return _merge(outputs)

    def _clear(self) -> None:
        self._head: deque[Piece] = deque()
        self._tail: deque[Piece] = deque()
        self._head_size = self._tail_size = self._rich_size = 0
        self._dropped = False

    def _append(self, pieces: deque[Piece], name: str, text: str) -> None:
        if pieces and pieces[-1].get("name") == name and len(pieces[-1]["text"]) < 4096:
            pieces[-1]["text"] += text
        else:
            pieces.append(_text_piece(name, text))

    def _add_tail(self, name: str, text: str) -> None:
        if len(text) > self._half:
            text, self._dropped = text[-self._half :], True
        self._append(self._tail, name, text)
        self._tail_size += len(text)
        while self._tail_size > self._half or len(self._tail) > PIECES_MAX:
            first = self._tail.popleft()
            self._tail_size -= len(first.get("text", ""))
            self._dropped = True


def _text_piece(name: str, text: str) -> Piece:
    return {"output_type": "stream", "name": name, "text": text}


def _merge(outputs: list[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(dict(output))
    return merged


class CapturedStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a cell."""

    def __init__(self, capture: Capture, name: str, descriptor: int) -> None:
        super().__init__()
        self._capture, self._name, self._descriptor, self._owner = capture, name, descriptor, os.getpid()
        self.buffer = _ByteStream(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if os.getpid() == self._owner:
            self._capture.add_text(self._name, text)
        else:  # a process that the cell forked: its memory is not ours, the descriptor is
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        return len(text)


class _ByteStream(io.RawIOBase):
    def __init__(self, stream: CapturedStream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._stream.write(content.decode("utf-8", "replace"))
        return len(content)


class DescriptorReader(threading.Thread):
    """Reads what is written on descriptors 1 and 2."""

    def __init__(self, capture: Capture) -> None:
        super().__init__(daemon=True, name="pupitre-output")
        self._capture = capture
        self._reading = threading.Lock()
        self._names: dict[int, str] = {}
        self._fflush = ctypes.CDLL(None).fflush
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            read_end, write_end = os.pipe()
            os.dup2(write_end, descriptor)
            os.close(write_end)
            self._names[read_end] = name

    def run(self) -> None:
        while self._names:
            ready, _, _ = select.select(list(self._names), [], [])
            for descriptor in ready:
                with self._reading:
                    data = os.read(descriptor, 1 << 16)
                    if data:
                        self._capture.add_text(self._names[descriptor], data.decode("utf-8", "replace"))
                    else:
                        del self._names[descriptor]

    def drain(self) -> None:
        """Wait until what was written so far is captured; a process that writes for ever is not waited for."""
        self._fflush(None)
        until = time.monotonic() + DRAIN_S
        while any(_pending_bytes(descriptor) for descriptor in list(self._names)) and time.monotonic() < until:
            time.sleep(0.001)
        with self._reading:
            pass


def _pending_bytes(descriptor: int) -> int:
    size = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, size)
    return size[0]


def redirect_streams(capture: Capture) -> DescriptorReader:
    """From now on every output of this process goes to `capture`."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader = DescriptorReader(capture)
    sys.stdout = CapturedStream(capture, "stdout", 1)
    sys.stderr = CapturedStream(capture, "stderr", 2)
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc,assignment]
    reader.start()
    return reader
