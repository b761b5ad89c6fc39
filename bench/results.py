"""What a measure gives, kept: `Row`s in `bench/results/<name>.json`, and all of them in the documentation's table."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
TABLE = ROOT / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- results: written by `make bench` -->", "<!-- end of results -->"


Notes = Mapping[str, float | str]
"""What else was measured: seconds, or a text with its unit."""


@dataclass(frozen=True)
class Row:
    """One measure, ours beside the original's, in `unit`."""

    what: str
    ours: tuple[float, ...]
    stock: tuple[float, ...]
    unit: str = "s"

    def p(self, percent: int) -> tuple[float, float]:
        return percentile(self.ours, percent), percentile(self.stock, percent)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            name: {"ours": round(ours, 3), "stock": round(stock, 3), "stock_over_ours": round(stock / ours, 1)}
            for name, (ours, stock) in (("p50", self.p(50)), ("p95", self.p(95)))
        }


def percentile(values: Sequence[float], percent: int) -> float:
    """With few values, the 95th percentile is nearly their maximum: said in the table by their number."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def write_result(name: str, rows: Sequence[Row], notes: Notes) -> list[str]:
    """Keep the rows; return them as lines to print."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "date": f"{datetime.now():%Y-%m-%d %H:%M}",
        "command": f"make bench ONLY={name}",
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[2], 1),
        "rows": [row.as_json() for row in rows],
        "notes": {what: format_note(value) for what, value in notes.items()},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = []
    for row in rows:
        (ours, stock), (ours95, stock95) = row.p(50), row.p(95)
        lines.append(
            f"{row.what}: p50 {ours:.2f} {row.unit}, stock {stock:.2f} {row.unit} ({stock / ours:.1f} times);"
            f" p95 {ours95:.2f} {row.unit}, stock {stock95:.2f} {row.unit} ({stock95 / ours95:.1f} times)"
        )
    return lines + [f"  {what}: {format_note(value)}" for what, value in notes.items()]


def format_note(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f} s"


def write_table() -> None:
    lines = [
        "| measure | command | date | cores | values | p50 | stock p50 | ratio | p95 | stock p95 | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for file in sorted(RESULTS.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        for row in content["rows"]:
            p50, p95, unit = row["p50"], row["p95"], row["unit"]
            lines.append(
                f"| {row['what']} | `{content['command']}` | {content['date']} | {content['cores']} | {len(row['ours'])}, "
                f"stock {len(row['stock'])} | {p50['ours']:.2f} {unit} | {p50['stock']:.2f} {unit} | {p50['stock_over_ours']} | "
                f"{p95['ours']:.2f} {unit} | {p95['stock']:.2f} {unit} | {p95['stock_over_ours']} |"
            )
        notes += [f"| {what} | {value} |" for what, value in content["notes"].items()]
    text = TABLE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    details = ["", "| also measured (medians) | |", "|---|---|", *notes]
    TABLE.write_text("\n".join([before + BEGIN, *lines, *details, END]) + after, encoding="utf-8")
