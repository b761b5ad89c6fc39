"""Parsons problems: what is right, what is said, and the board driven by its buttons (no browser)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pupitre import board as boards
from pupitre import cells, lesson, parsons
from pupitre.parsons import Row, make_puzzle, read_rows

SOLUTION = """
capital = 1000
taux = 5 / 100
annees = 0
while capital < 2000:
    capital = capital * (1 + taux)
    annees = annees + 1
print(annees)
"""
DISTRACTORS = {"while capital > 2000:": "La condition est-elle vraie au départ ?", "capital = capital + taux": ""}


def make(**details: Any) -> parsons.Puzzle:
    return make_puzzle("Quand le capital a-t-il doublé ?", SOLUTION, DISTRACTORS, because="Oui.", **details)


def answer(puzzle: parsons.Puzzle, code: str) -> tuple[str, str] | None:
    rows = read_rows(code, puzzle.lines)
    assert isinstance(rows, list), rows
    return puzzle.judge(rows)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    things: list[Any] = []
    monkeypatch.setattr(lesson, "display", lambda *given: things.extend(given))
    return things


def test_lines_are_mixed_up_always_in_the_same_way() -> None:
    puzzle = make()
    assert list(puzzle.lines) == list("ABCDEFGHI")
    assert sorted(puzzle.lines.values()) == sorted(
        [line.strip() for line in SOLUTION.split("\n") if line] + [*DISTRACTORS]
    )
    assert puzzle.lines == make().lines
    assert list(puzzle.lines.values())[:7] != [row.code for row in puzzle.solution]


def test_solution_and_any_order_with_the_same_result_are_right() -> None:
    puzzle = make()
    assert answer(puzzle, SOLUTION) is None
    swapped = SOLUTION.replace(
        "capital = 1000\ntaux = 5 / 100\nannees = 0", "annees = 0\ncapital = 1000\ntaux = 5 / 100"
    )
    assert answer(puzzle, swapped) is None
    assert answer(puzzle, SOLUTION.replace("    ", "  ")) is None, "another width of indentation"
    letters = {code: letter for letter, code in puzzle.lines.items()}
    as_letters = "\n".join(" " * row.spaces + letters[row.code] for row in puzzle.solution)
    assert answer(puzzle, as_letters) is None


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ("", "E00", "Placez d’abord"),
        (SOLUTION.replace("<", ">"), "P1", "la condition est-elle vraie au départ"),
        (SOLUTION.replace("* (1 + taux)", "+ taux"), "P1", "que fait-elle"),
        (SOLUTION.replace("annees = 0\n", ""), "P2", "incomplet"),
        (SOLUTION + "print(annees)\n", "P1", "trop de fois"),
        (SOLUTION.replace("    ", ""), "E09", "Ligne 5"),
        (SOLUTION.replace("    annees", "annees"), "P4", "décalage"),
        (SOLUTION.replace("annees = 0\n", "").replace("print", "annees = 0\nprint"), "E21", "avoir"),
        (SOLUTION.replace("print(annees)\n", "").replace("while", "print(annees)\nwhile"), "P3", "Le début convient jusqu’à la ligne 3"),
        (SOLUTION.replace("    capital", "capital"), "E09", "Ligne 5"),
    ],
)  # fmt: skip
def test_first_thing_to_look_at(wrong: str, code: str, words: str) -> None:
    verdict = answer(make(), wrong)
    assert verdict is not None and verdict[0] == code, verdict
    assert words in verdict[1] or code == "E21"
    assert "capital = capital * (1 + taux)" not in verdict[1], "the solution is not told"


def test_known_output_has_its_own_sentence() -> None:
    puzzle = make(known={"1": ("E08", "Le compteur n’augmente qu’une fois.")})
    assert answer(puzzle, SOLUTION.replace("    annees", "annees")) == ("E08", "Le compteur n’augmente qu’une fois.")


def test_endless_loop_is_stopped_and_said() -> None:
    puzzle = make_puzzle("Comptez.", "n = 0\nwhile n < 3:\n    n = n + 1\nprint(n)")
    verdict = answer(puzzle, "n = 0\nwhile n < 3:\n    print(n)\nn = n + 1")
    assert verdict is not None and verdict[0] == "E16"


def test_lines_are_run_between_given_values_and_a_call() -> None:
    puzzle = make_puzzle(
        "Écrivez la fonction.", "def double(x):\n    y = facteur * x\n    return y", before="facteur = 2", after="print(double(4))"
    )  # fmt: skip
    assert answer(puzzle, "def double(x):\n    y = facteur * x\n    return y") is None
    verdict = answer(puzzle, "def double(x):\n    return y\n    y = facteur * x")
    assert verdict is not None and verdict[0] == "E21"


def test_lines_that_draw_are_compared_by_place() -> None:
    puzzle = make_puzzle("Tracez.", "fig, ax = plt.subplots()\nax.plot(I, U, 'o')\nplt.show()", run=False)
    assert answer(puzzle, "fig, ax = plt.subplots()\nax.plot(I, U, 'o')\nplt.show()") is None
    verdict = answer(puzzle, "ax.plot(I, U, 'o')\nfig, ax = plt.subplots()\nplt.show()")
    assert verdict is not None and verdict == ("P3", "Par quoi ce programme doit-il commencer ?")


def test_solution_that_is_not_python_is_refused_when_written() -> None:
    with pytest.raises(SyntaxError):
        make_puzzle("?", "while True\n    pass")


def test_text_answer_names_what_is_not_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    puzzle = make()
    puzzle.check("Z")
    assert "n’est pas une lettre proposée" in capsys.readouterr().out
    puzzle.check(SOLUTION)
    assert capsys.readouterr().out == "Bien ordonné. Oui.\n"
    puzzle.check(SOLUTION.replace("<", ">"))
    assert capsys.readouterr().out.startswith("À revoir (P1). Regardez la ligne `while capital > 2000:`")


def test_board_is_driven_by_its_buttons(shown: list[Any]) -> None:
    puzzle = make()
    board = boards.show_puzzle(puzzle)
    _, verify, verdict = shown[1].children
    verify.click()
    assert "E00" in verdict.value
    letters = {code: letter for letter, code in puzzle.lines.items()}
    for row in reversed(puzzle.solution):  # the chosen line is followed: reversed, then moved up
        board._offers[letters[row.code]].click()
        for _ in range(len(board.placed)):
            board._tools[0].click()
    assert [row.code for row in board.rows()] == [row.code for row in puzzle.solution]
    assert verdict.value == "", "a verdict does not outlive the program that it judged"
    for place in (4, 5):
        if board.chosen != place:
            board._slots[place].click()
        board._tools[2].click()
    assert "décalage 1" in board._said.value and 'role="status"' in board._said.value
    assert board._slots[4].description.endswith("\u00a0" * 4 + "capital = capital * (1 + taux)")
    verify.click()
    assert "pupitre-right" in verdict.value and "Bien ordonné. Oui." in verdict.value
    board._tools[3].click()
    board._tools[4].click()
    assert len(board.placed) == 6 and "retirée" in board._said.value


def test_buttons_without_a_chosen_line_say_so(shown: list[Any]) -> None:
    board = boards.show_puzzle(make())
    board._tools[1].click()
    assert "Choisissez d’abord une ligne" in board._said.value
    assert board.placed == []


@pytest.mark.parametrize("heard", ["", "x y z", "0", "5 0 0 1", "0 -1 0 1", "0 9 9 9", "0 0 99999999999999999999 1"])
def test_what_the_page_says_is_checked(shown: list[Any], heard: str) -> None:
    board = boards.show_puzzle(make())
    board.add("A")
    board._wire.value = heard
    assert len(board.placed) == 1 and 0 <= board.placed[0][1] <= boards.MAX_LEVEL


def test_dragged_line_lands_where_it_is_dropped(shown: list[Any]) -> None:
    board = boards.show_puzzle(make())
    for letter in "ABC":
        board.add(letter)
    board._wire.value = "2 0 1 123"
    assert board.placed == [("C", 1), ("A", 0), ("B", 0)] and board.chosen == 0


def test_arranged_lines_are_written_as_the_answer_cell_wants_them(shown: list[Any]) -> None:
    board = boards.show_arranger({"A": "while True:", "B": "n = n + 1"}, "programme")
    text = shown[1].children[1]
    board.add("A")
    board.add("B")
    board.shift(1)
    assert text.value == 'programme = """\nA\n    B\n"""'
    names: dict[str, Any] = {}
    exec(text.value, names)
    assert read_rows(names["programme"], board.lines) == [Row("while True:", 0), Row("n = n + 1", 4)]


def test_while_marking_no_widget_is_made(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parsons.arrange({"A": "n = 0"})
    assert shown
    shown.clear()
    monkeypatch.setitem(cells.SOURCES, "3.5", "programme = ''")
    parsons.arrange({"A": "n = 0"})
    assert shown == []


def test_without_widgets_the_same_lines_are_printed() -> None:
    code = (
        "import sys\nsys.modules['ipywidgets'] = None\nfrom pupitre import parsons\n"
        f"p = parsons.show('Doublez.', {SOLUTION!r}, {DISTRACTORS!r}, because='Oui.')\np.check({SOLUTION!r})\n"
        "parsons.arrange({'A': 'n = 0'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "while capital > 2000:" in done.stdout and "probleme.check" in done.stdout
    assert done.stdout.endswith("Bien ordonné. Oui.\n")
