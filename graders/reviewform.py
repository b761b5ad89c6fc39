"""What a grader typed on the review page, and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from graders.errors import ReviewRefused
from graders.marks import COMMENT_CHARACTERS, ManualMark
from graders.models import CellMark

POINT_STEP = 0.5


@dataclass
class MarkField:
    """The two inputs of one manual cell, as shown and as typed."""

    cell: CellMark
    points: str
    comment: str
    error: str = ""

    @property
    def points_name(self) -> str:
        return f"points-{self.cell.pk}"

    @property
    def comment_name(self) -> str:
        return f"comment-{self.cell.pk}"

    @property
    def max_text(self) -> str:
        """For the input's `max`: a number as HTML wants it."""
        return f"{self.cell.max_points:g}"


def make_fields(cells: Sequence[CellMark], typed: Mapping[str, str] | None = None) -> list[MarkField]:
    """One field per manual cell, holding what was typed, else what is stored."""
    fields = []
    for cell in cells:
        if cell.kind == "manual":
            stored = cell.manual_points if cell.manual_points is not None else cell.points
            shown = MarkField(cell, "" if stored is None else f"{stored:g}", cell.comment)
            if typed is not None:
                shown.points = typed.get(shown.points_name, "").strip()
                shown.comment = typed.get(shown.comment_name, "").replace("\r\n", "\n").strip()
            fields.append(shown)
    return fields


def read_marks(fields: Sequence[MarkField]) -> list[ManualMark]:
    """The marks typed; each wrong field is given its sentence.

    Raises
    ------
    ReviewRefused
        A field is wrong; none is to be saved.
    """
    marks = []
    for shown in fields:
        try:
            points = _read_points(shown)
        except ValueError:
            shown.error = _("Donnez un nombre de points entre 0 et %s, par demi-point.") % shown.max_text.replace(
                ".", ","
            )
            continue
        if len(shown.comment) > COMMENT_CHARACTERS:
            shown.error = _("Le commentaire dépasse %(n)d caractères.") % {"n": COMMENT_CHARACTERS}
            continue
        marks.append(ManualMark(shown.cell.notebook, shown.cell.grade_id, points, shown.comment))
    if any(shown.error for shown in fields):
        raise ReviewRefused("bad-points", _("La relecture n’est pas enregistrée : corrigez les points signalés."))
    return marks


def _read_points(shown: MarkField) -> float | None:
    if not shown.points:
        return None
    points = float(shown.points.replace(",", "."))
    if points == shown.cell.points and shown.cell.manual_points is None:
        return None  # the machine's own points, left as they were
    # NaN and infinities fail both comparisons or the division.
    if not 0 <= points <= shown.cell.max_points:
        raise ValueError(shown.points)
    if not (points / POINT_STEP).is_integer() and points not in (shown.cell.max_points, shown.cell.manual_points):
        raise ValueError(shown.points)
    return points
