"""The widget of a Parsons problem: proposed lines, the program being written, buttons to move, indent and remove.

Laws: made of ipywidgets only. Everything can be done with buttons (keyboard, screen reader, telephone) and each action is
said in an area that is read aloud; dragging and Alt + arrows are a convenience that a small script adds where scripts run.
Buttons never move in the page: only what they say changes, so the focus stays where it is.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from pupitre import lesson
from pupitre.parsons import INDENT, Puzzle, Row, render_verdict

MAX_LEVEL = 4
_NO_BREAK = "\u00a0"

_STYLE = """
.pupitre-parsons .pupitre-zones { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: flex-start; }
.pupitre-parsons .pupitre-zone { flex: 1 1 17rem; min-width: 0; overflow: visible; }
.pupitre-parsons .pupitre-line { width: 100%; height: auto; min-height: 40px; margin: 2px 0; padding: .35rem .6rem; text-align: left; white-space: pre-wrap; overflow-wrap: anywhere;
  background: #f6f7f9; color: #1d2433; border: 1px solid #8a94a6; border-radius: 6px; font: 0.92rem/1.4 ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; }
.pupitre-parsons .pupitre-placed { cursor: grab; touch-action: pan-y; }
.pupitre-parsons .pupitre-chosen { border: 2px solid #1f4f80; background: #dde9f5; }
.pupitre-parsons .pupitre-dragged { opacity: .6; cursor: grabbing; }
.pupitre-parsons .pupitre-tools .widget-button { width: auto; height: auto; min-height: 40px; }
.pupitre-parsons .pupitre-said { min-height: 1.6em; }
.pupitre-parsons .pupitre-wire { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
.pupitre-parsons .pupitre-copy textarea { font-family: ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; }
.pupitre-lines summary { cursor: pointer; }
"""

_SCRIPT = """
(() => {
  if (window.pupitreParsons) return;
  window.pupitreParsons = true;
  const STEP_PX = 36;
  const find = (event) => event.target.closest && event.target.closest(".pupitre-parsons .pupitre-placed");
  const rows = (row) => [...row.closest(".pupitre-parsons").querySelectorAll(".pupitre-placed")].filter((other) => other.offsetParent);
  const send = (row, to, shift) => {
    const all = rows(row), from = all.indexOf(row), field = row.closest(".pupitre-parsons").querySelector(".pupitre-wire input");
    if (!field || from < 0) return;
    to = Math.max(0, Math.min(all.length - 1, to));
    field.value = `${from} ${to} ${shift} ${Date.now()}`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    all[to].focus();
  };
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const row = find(event);
    if (row && event.button === 0 && event.pointerType === "mouse") drag = { row, x: event.clientX, y: event.clientY, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 8) return;
    drag.moved = true;
    drag.row.classList.add("pupitre-dragged");
    drag.row.style.transform = `translate(${event.clientX - drag.x}px, ${event.clientY - drag.y}px)`;
    event.preventDefault();
  });
  const drop = (event) => {
    if (!drag) return;
    const { row, x, moved } = drag;
    drag = null;
    row.classList.remove("pupitre-dragged");
    row.style.transform = "";
    if (!moved || event.type !== "pointerup") return;
    const boxes = rows(row).map((other) => other.getBoundingClientRect());
    let to = boxes.findIndex((box) => event.clientY < box.bottom);
    if (to < 0) to = boxes.length - 1;
    send(row, to, Math.round((event.clientX - x) / STEP_PX));
    row.addEventListener("click", (click) => click.stopImmediatePropagation(), { once: true, capture: true });
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("keydown", (event) => {
    const row = find(event);
    if (!row || !event.altKey) return;
    const at = rows(row).indexOf(row), move = { ArrowUp: [at - 1, 0], ArrowDown: [at + 1, 0], ArrowRight: [at, 1], ArrowLeft: [at, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    send(row, ...move);
  }, true);
})();
"""


class Board:
    """Lines to place; `rows()` is the program as it stands."""

    def __init__(self, lines: Mapping[str, str]) -> None:
        self.lines = dict(lines)
        self.placed: list[tuple[str, int]] = []
        """(letter, level), from top to bottom."""
        self.chosen: int | None = None
        self.on_change: Any = lambda: None
        self._offers = {letter: _line_button(f"{letter}{_NO_BREAK * 2}{code}") for letter, code in self.lines.items()}
        for letter, button in self._offers.items():
            button.on_click(lambda _button, letter=letter: self.add(letter))
            button.tooltip = f"Ajouter la ligne {letter} au programme"
        self._slots = [_line_button("") for _ in self.lines]
        for place, button in enumerate(self._slots):
            button.add_class("pupitre-placed")
            button.on_click(lambda _button, place=place: self.choose(place))
        self._said = widgets.HTML()
        self._said.add_class("pupitre-said")
        self._empty = widgets.HTML(lesson.render_note("Choisissez une ligne proposée : elle se place ici."))
        self.tools = {
            "Monter ↑": lambda: self.move(-1),
            "Descendre ↓": lambda: self.move(1),
            "Décaler →": lambda: self.shift(1),
            "Ramener ←": lambda: self.shift(-1),
            "Retirer": self.remove,
        }
        self._tools = [_button(text, act) for text, act in self.tools.items()]
        self._wire = widgets.Text(description="Déplacement", tabbable=False)  # for the script alone
        self._wire.add_class("pupitre-wire")
        self._wire.observe(self._hear, names="value")
        self._draw()

    def rows(self) -> list[Row]:
        """The program as it stands."""
        return [Row(self.lines[letter], INDENT * level) for letter, level in self.placed]

    def add(self, letter: str) -> None:
        """Place a proposed line after the chosen one, at the same level."""
        place = len(self.placed) if self.chosen is None else self.chosen + 1
        level = self.placed[place - 1][1] if place else 0
        self.placed.insert(place, (letter, level))
        self.chosen = place
        self._change()

    def choose(self, place: int) -> None:
        """Bring out one line of the program; the buttons then act on it."""
        if place < len(self.placed):
            self.chosen = None if self.chosen == place else place
            self._draw()

    def move(self, by: int) -> None:
        """Move the chosen line up (−1) or down (1)."""
        if (place := self._chosen()) is not None and 0 <= place + by < len(self.placed):
            self.placed.insert(place + by, self.placed.pop(place))
            self.chosen = place + by
            self._change()

    def shift(self, by: int) -> None:
        """Indent (1) or bring back (−1) the chosen line."""
        if (place := self._chosen()) is not None:
            letter, level = self.placed[place]
            self.placed[place] = (letter, max(0, min(MAX_LEVEL, level + by)))
            self._change()

    def remove(self) -> None:
        """Put the chosen line back among the proposed ones."""
        if (place := self._chosen()) is not None:
            letter, _ = self.placed.pop(place)
            self.chosen = min(place, len(self.placed) - 1) if self.placed else None
            self._change()
            self._say(f"Ligne {letter} retirée du programme.")

    def zones(self) -> Any:
        """The two columns, the buttons, and the area that says what was done."""
        offered = _zone("Lignes proposées", list(self._offers.values()))
        program = _zone("Votre programme", [self._empty, *self._slots])
        columns = widgets.Box([offered, program], layout=widgets.Layout(width="100%"))
        columns.add_class("pupitre-zones")
        tools = widgets.HBox(self._tools, layout=widgets.Layout(flex_flow="row wrap", max_width="100%"))
        tools.add_class("pupitre-tools")
        return widgets.VBox([columns, tools, self._said, self._wire], layout=widgets.Layout(width="100%"))

    def _chosen(self) -> int | None:
        if self.chosen is None:
            self._say("Choisissez d’abord une ligne de votre programme.")
        return self.chosen

    def _change(self) -> None:
        self._draw()
        self.on_change()

    def _hear(self, change: Any) -> None:
        """A move made with the mouse or with Alt + arrow: « from to levels time »."""
        try:
            start, end, levels, *_ = (int(word) for word in str(change["new"]).split())
        except ValueError:
            return
        if not (0 <= start < len(self.placed) and 0 <= end < len(self.placed)):
            return
        letter, level = self.placed.pop(start)
        self.placed.insert(end, (letter, max(0, min(MAX_LEVEL, level + levels))))
        self.chosen = end
        self._change()

    def _draw(self) -> None:
        used = {letter for letter, _ in self.placed}
        for letter, button in self._offers.items():
            button.layout.display = "none" if letter in used else None
        self._empty.layout.display = "none" if self.placed else None
        for place, button in enumerate(self._slots):
            button.layout.display = None if place < len(self.placed) else "none"
            if place >= len(self.placed):
                continue
            letter, level = self.placed[place]
            is_chosen = place == self.chosen
            mark = "▸" if is_chosen else _NO_BREAK
            button.description = f"{mark}{place + 1}{_NO_BREAK * 2}{_NO_BREAK * INDENT * level}{self.lines[letter]}"
            button.tooltip = f"Ligne {place + 1}, {_describe(level)}{', choisie' if is_chosen else ''}"
            (button.add_class if is_chosen else button.remove_class)("pupitre-chosen")
        if self.chosen is not None:
            letter, level = self.placed[self.chosen]
            self._say(f"Ligne {letter} choisie : place {self.chosen + 1} sur {len(self.placed)}, {_describe(level)}.")
        elif not self.placed:
            self._say("")

    def _say(self, text: str) -> None:
        self._said.value = f'<div role="status">{html.escape(text)}</div>'


def show_puzzle(puzzle: Puzzle) -> Board:
    """The whole problem, with « Vérifier »."""
    board = Board(puzzle.lines)
    answer = lesson._live()
    verify = widgets.Button(description="Vérifier", button_style="primary")

    def judge(_button: Any) -> None:
        wrong = puzzle.judge(board.rows())
        answer.value = lesson.render_note(render_verdict(wrong, puzzle.because), "right" if wrong is None else "wrong")

    def forget() -> None:
        answer.value = ""

    verify.on_click(judge)
    board.on_change = forget
    lines = "".join(f"<br>{letter}  <code>{html.escape(code)}</code>" for letter, code in puzzle.lines.items())
    as_text = (
        '<details class="pupitre-lines"><summary>Les lignes en texte, pour répondre sur papier ou dans une cellule</summary>'
        f"<p>Écrivez une lettre par ligne, décalée de quatre espaces dans un bloc.{lines}</p></details>"
    )
    title = f"<p><strong>{lesson._inline(puzzle.ask)}</strong></p>"
    _display(title + as_text, [board.zones(), verify, answer])
    return board


def show_arranger(lines: Mapping[str, str], name: str) -> Board:
    """The lines to arrange, and below the text to copy into the answer cell."""
    board = Board(lines)
    text = widgets.Textarea(
        description="À copier", rows=len(lines) + 2, layout=widgets.Layout(width="100%", max_width="30rem")
    )
    text.add_class("pupitre-copy")

    def write() -> None:
        rows = "\n".join(" " * INDENT * level + letter for letter, level in board.placed)
        text.value = f'{name} = """\n{rows}\n"""'

    board.on_change = write
    write()
    _display("", [board.zones(), text])
    return board


def _display(head: str, parts: list[Any]) -> None:
    """The text first, then the widget, in two outputs: Voilà now and then loses one that comes after a widget."""
    whole = widgets.VBox(parts, layout=widgets.Layout(width="100%", max_width="48rem", margin="0"))
    whole.add_class("pupitre-parsons")
    lesson.display(lesson.HTML(f"<style>{_STYLE}</style>{head}<script>{_SCRIPT}</script>"), whole)


def _zone(title: str, children: list[Any]) -> Any:
    zone = widgets.VBox([widgets.HTML(f"<p><strong>{title}</strong></p>"), *children])
    zone.add_class("pupitre-zone")
    return zone


def _line_button(text: str) -> Any:
    button = widgets.Button(description=text)
    button.add_class("pupitre-line")
    return button


def _button(text: str, act: Any) -> Any:
    button = widgets.Button(description=text)
    button.on_click(lambda _button: act())
    return button


def _describe(level: int) -> str:
    return "sans décalage" if level == 0 else f"décalage {level}"
