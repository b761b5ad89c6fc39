"""One unix uid per home, for ever: a table of our own, since a database that is made anew would number people differently
and hand one person's files to another.

Laws: a uid is never given twice, even when a name is removed by hand; several processes may ask at once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sandbox.profile import LEARNER_UIDS

_TIMEOUT_S = 20.0


class UidsExhausted(RuntimeError):
    """Every uid of the range was given."""


def ensure_uid(file: Path, name: str) -> int:
    """The uid of the home called `name`; given now if it had none.

    Raises
    ------
    UidsExhausted
        The range has an end.
    """
    with contextlib.closing(sqlite3.connect(file, timeout=_TIMEOUT_S, isolation_level=None)) as table:
        known = _find_uid(table, name) if _is_made(table) else None
        if known is not None:
            return known
        table.execute("BEGIN IMMEDIATE")
        try:
            if not _is_made(table):
                # AUTOINCREMENT: the highest number ever given is remembered beside the rows.
                table.execute("CREATE TABLE uids (uid INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)")
                table.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('uids', ?)", [LEARNER_UIDS.start - 1])
            table.execute("INSERT INTO uids (name) VALUES (?) ON CONFLICT (name) DO NOTHING", [name])
            uid = _find_uid(table, name)
            if uid is None or uid not in LEARNER_UIDS:
                raise UidsExhausted(f"no uid left for {name}: {uid}")
        except BaseException:
            table.execute("ROLLBACK")
            raise
        table.execute("COMMIT")
        return uid


def _is_made(table: sqlite3.Connection) -> bool:
    return table.execute("SELECT 1 FROM sqlite_master WHERE name = 'uids'").fetchone() is not None


def _find_uid(table: sqlite3.Connection, name: str) -> int | None:
    row = table.execute("SELECT uid FROM uids WHERE name = ?", [name]).fetchone()
    return None if row is None else int(row[0])
