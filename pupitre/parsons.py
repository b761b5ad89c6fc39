"""A Parsons problem: the lines of a program, mixed up and without their indentation, to be put in order; some are of no use.

Laws: the answer is judged by running it where it can be run: any order that gives the same result is right. One neutral
sentence at a time, which names the clue. Without widgets, the same lines are printed with their letters and `Puzzle.check`
takes the answer as text. Imports neither ipywidgets nor IPython until something is shown.

    from pupitre import parsons
    parsons.show("Comptez les tours.", "n = 0\\nwhile n < 3:\\n    n = n + 1\\nprint(n)", distractors={"n = 1": "…"}, because="…")
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pupitre.calls import call
from pupitre.explanations import NOT_ANSWERED, Diagnosis, diagnose
from pupitre.typography import set_spaces

INDENT = 4
RUN_LIMIT_S = 1.0

EXTRA, MISSING, ORDER, SHIFT = "P1", "P2", "P3", "P4"
"""Diagnostic codes: a line of no use, a line not there, the order, the indentation (docs/reference/checks.md)."""


class Row(NamedTuple):
    """One line put in its place: `spaces` is its indentation, in characters."""

    code: str
    spaces: int


@dataclass(frozen=True)
class Puzzle:
    """The problem itself: what is asked, its lines by letter, and what is right."""

    ask: str
    solution: tuple[Row, ...]
    distractors: Mapping[str, str] = field(default_factory=dict)
    """Line of no use → the sentence that answers it, "" for the usual one."""
    before: str = ""
    after: str = ""
    """Code run before and after the learner's lines: values, a call that prints."""
    known: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What a wrong program prints → (code, sentence)."""
    because: str = ""
    run: bool = True

    @property
    def lines(self) -> dict[str, str]:
        """Letter → line, mixed up, always in the same way."""
        codes = sorted(
            [row.code for row in self.solution] + list(self.distractors),
            key=lambda code: hashlib.sha256(code.encode()).digest(),
        )
        if codes[: len(self.solution)] == [row.code for row in self.solution]:
            codes.reverse()
        return {name_line(number): code for number, code in enumerate(codes)}

    def judge(self, rows: Sequence[Row]) -> Diagnosis | None:
        """None if these lines are right, otherwise the first thing to look at."""
        if not rows:
            return Diagnosis(
                NOT_ANSWERED, "Placez d’abord des lignes dans votre programme, dans l’ordre de l’exécution."
            )
        given = normalise(rows)
        if given == normalise(self.solution):
            return None
        extra = next((row.code for row in rows if row.code in self.distractors), None)
        if extra is not None:
            sentence = self.distractors[extra] or "que fait-elle, exactement, quand elle est exécutée ?"
            return Diagnosis(EXTRA, f"Regardez la ligne `{extra}` : {sentence[0].lower()}{sentence[1:]}")
        right, placed = Counter(row.code for row in self.solution), Counter(row.code for row in rows)
        if repeated := next(iter(placed - right), None):
            return Diagnosis(EXTRA, f"La ligne `{repeated}` est écrite trop de fois.")
        if right - placed:
            return Diagnosis(
                MISSING, "Votre programme est incomplet : que lui manque-t-il pour répondre à la question ?"
            )
        return self._judge_run(rows) if self._expected is not None else self._judge_place(given)

    def check(self, text: str) -> None:
        """The same, for an answer typed as text: one letter (or whole line) per row, indented. Prints the sentence."""
        rows = read_rows(text, self.lines)
        wrong = rows if isinstance(rows, Diagnosis) else self.judge(rows)
        print(set_spaces(render_verdict(wrong, self.because)))  # noqa: T201  (the notebook shows what is printed)

    def _judge_run(self, rows: Sequence[Row]) -> Diagnosis | None:
        outcome = call(lambda: self._run(rows), time_limit_s=RUN_LIMIT_S)
        if outcome.error is not None:
            return diagnose(outcome.error)
        printed = outcome.output.split()
        if printed == self._expected:
            return None
        shown = " ".join(printed)
        if shown in self.known:
            return Diagnosis(*self.known[shown])
        found = (
            f"Ce programme affiche « {shown[:60]} » au lieu du résultat attendu. "
            if shown
            else "Ce programme n’affiche rien. "
        )
        place = self._judge_place(normalise(rows))
        return Diagnosis(place.code, found + place.message)

    def _judge_place(self, given: list[tuple[str, int]]) -> Diagnosis:
        right = normalise(self.solution)
        first = next(number for number, pair in enumerate(zip(given, right, strict=False)) if pair[0] != pair[1])
        if given[first][0] == right[first][0]:
            return Diagnosis(
                SHIFT,
                f"L’ordre convient jusqu’à la ligne {first + 1} ; à quel bloc appartient-elle : à quoi sert son décalage ?",
            )
        if not first:
            return Diagnosis(ORDER, "Par quoi ce programme doit-il commencer ?")
        return Diagnosis(
            ORDER,
            f"Le début convient jusqu’à la ligne {first} ; relisez à partir de la suivante : de quoi a-t-elle besoin ?",
        )

    @property
    def _expected(self) -> list[str] | None:
        """What the solution really prints, word by word; None if that cannot tell a right answer."""
        if not self.run:
            return None
        outcome = call(lambda: self._run(self.solution), time_limit_s=RUN_LIMIT_S)
        if outcome.error is not None:
            raise outcome.error  # a fault of the author: seen when the lesson is written
        return outcome.output.split() or None

    def _run(self, rows: Sequence[Row]) -> None:
        names: dict[str, Any] = {}
        for part in (self.before, assemble(rows), self.after):  # apart: line numbers are those of the learner's program
            exec(compile(part, "programme", "exec"), names)  # noqa: S102  (lines of the lesson, in the learner's order)


def make_puzzle(ask: str, solution: str, distractors: Mapping[str, str] | Sequence[str] = (), **details: Any) -> Puzzle:
    """A problem from its solution, written as code; `distractors`: lines, or line → sentence."""
    rows = tuple(Row(line.strip(), len(line) - len(line.lstrip())) for line in solution.splitlines() if line.strip())
    extra = dict(distractors) if isinstance(distractors, Mapping) else dict.fromkeys(distractors, "")
    puzzle = Puzzle(ask, rows, extra, **details)
    if puzzle.run:
        compile(assemble(rows), "solution", "exec")
    return puzzle


def show(ask: str, solution: str, distractors: Mapping[str, str] | Sequence[str] = (), **details: Any) -> Puzzle:
    """Show a Parsons problem: a widget, or the same lines as text where there are no widgets. Returns the problem.

    `details`: `because` (said when it is right), `before` and `after` (code run around the learner's lines),
    `known` ({"0": ("E16", "…")}, by what is printed), `run=False` to compare places only (lines that draw).
    """
    puzzle = make_puzzle(ask, solution, distractors, **details)
    try:
        from pupitre import board
    except ImportError:  # no ipywidgets here
        print(set_spaces(render_lines(puzzle)))  # noqa: T201
    else:
        board.show_puzzle(puzzle)
    return puzzle


def arrange(lines: Mapping[str, str], name: str = "programme") -> None:
    """Show given, lettered lines to be arranged; the text to copy into the answer cell `name = …` is written below.

    Nothing is judged: that is the test cell's part. Shows nothing where there are no widgets, nor while marking: the
    notebook prints its lines itself.
    """
    from pupitre.cells import SOURCES

    if SOURCES:
        return
    with contextlib.suppress(ImportError):
        from pupitre import board

        board.show_arranger(lines, name)


def assemble(rows: Sequence[Row]) -> str:
    """The program that these rows write."""
    margin = min((row.spaces for row in rows), default=0)
    return "\n".join(" " * (row.spaces - margin) + row.code for row in rows)


def read_rows(text: str, lines: Mapping[str, str]) -> list[Row] | Diagnosis:
    """One letter of `lines` (or one whole line) per row; a sentence about the first that is neither."""
    rows = []
    for written in text.expandtabs(INDENT).splitlines():
        if not (word := written.strip()):
            continue
        if word not in lines and word not in lines.values():
            return Diagnosis(
                "", f"« {word[:20]} » n’est pas une lettre proposée : une seule par ligne, parmi {', '.join(lines)}."
            )
        rows.append(Row(lines.get(word, word), len(written) - len(written.lstrip())))
    return rows


def normalise(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """(line, level): levels count the blocks, whatever the number of spaces."""
    open_blocks: list[int] = []
    levels = []
    for row in rows:
        while open_blocks and open_blocks[-1] > row.spaces:
            open_blocks.pop()
        if not open_blocks or open_blocks[-1] < row.spaces:
            open_blocks.append(row.spaces)
        levels.append((row.code, len(open_blocks) - 1))
    return levels


def name_line(number: int) -> str:
    """A, B, … Z, then A2, B2…"""
    letter = chr(ord("A") + number % 26)
    return letter if number < 26 else f"{letter}{number // 26 + 1}"


def render_lines(puzzle: Puzzle) -> str:
    """The problem as plain text, and how to answer it in a cell."""
    listed = "\n".join(f"{letter}   {code}" for letter, code in puzzle.lines.items())
    return (
        f"{puzzle.ask}\n\n{listed}\n\n"
        "Pour répondre dans une cellule : gardez le problème dans un nom (`probleme = parsons.show(…)`), puis écrivez\n"
        'probleme.check("""…""") avec une lettre par ligne, décalée de quatre espaces dans un bloc.'
    )


def render_verdict(wrong: Diagnosis | None, because: str = "") -> str:
    """One sentence, with its code."""
    if wrong is None:
        return f"Bien ordonné. {because}".strip()
    return f"À revoir ({wrong.code}). {wrong.message}" if wrong.code else f"À revoir. {wrong.message}"
