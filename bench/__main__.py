"""`python -m bench [submit|spawn|…]`: measures beside the original tools, on this machine, in the same run.

Laws: only 127.0.0.1; each measure stops by itself; results go to `bench/results/<name>.json` and to the table of
`docs/reference/benchmarks.md`.
"""

from __future__ import annotations

import sys

from bench import autograde, badges, kernel, memory, spawn, submit, voila
from bench.results import write_result, write_table

MEASURES = {
    "autograde": autograde.measure,
    "submit": submit.measure,
    "spawn": spawn.measure,
    "kernel": kernel.measure,
    "voila": voila.measure,
    "memory": memory.measure,
    "badges": badges.measure,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        print(f"Mesure inconnue : {', '.join(unknown)}. Mesures : {', '.join(MEASURES)}.", file=sys.stderr)
        return 2
    for name in names or list(MEASURES):
        print(f"{name}…", flush=True)
        rows, notes = MEASURES[name]()
        for line in write_result(name, rows, notes):
            print(line, flush=True)
    write_table()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
