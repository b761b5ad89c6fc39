"""How a course is described to people: durations, modality, Markdown."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import nh3
from django.utils.formats import get_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from hub.portal.catalogue.coursefile import CourseFile

NARROW_SPACE = "\u202f"
TAGS = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "br", "blockquote", "a", "sub", "sup", "table"} | {
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def render_duration(minutes: int) -> str:
    """« 45 min », « 6 h », « 1 h 30 »."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}{NARROW_SPACE}min"
    return f"{hours}{NARROW_SPACE}h{NARROW_SPACE}{rest:02d}" if rest else f"{hours}{NARROW_SPACE}h"


def render_points(points: float) -> str:
    """At most two decimals, with the language's separator: « 6 », « 4,5 »."""
    return f"{round(points, 2):g}".replace(".", get_format("DECIMAL_SEPARATOR"))


def compute_modality(course: CourseFile) -> str:
    """Nobody types it: it follows from the two durations and the collection."""
    distance, presence = course.duration.distance_minutes, course.duration.presence_minutes
    if distance and presence:
        return _("hybride")
    if presence:
        return _("en présence")
    if course.collection.lower() == "autoformation":
        return _("autoformation à distance")
    return _("à distance") if distance else _("à son rythme")


def render_markdown(text: str) -> SafeString:
    """Safe HTML of an author's short text. Raw HTML is shown as text, and what is left passes a list of allowed tags."""
    html = nh3.clean(_markdown.render(text), tags=TAGS, attributes={"a": {"href", "title"}})
    return mark_safe(html)  # noqa: S308 - cleaned on the line above


def render_document(text: str) -> SafeString:
    """Safe HTML of a Markdown file with headings; its titles begin below the page's own."""
    html = re.sub(r"<(/?)h([1-4])>", lambda found: f"<{found[1]}h{int(found[2]) + 1}>", _markdown.render(text))
    clean = nh3.clean(html, tags=TAGS | {"h2", "h3", "h4", "h5", "hr"}, attributes={"a": {"href", "title"}})
    return mark_safe(clean)  # noqa: S308 - cleaned on the line above


def file_title(path: str) -> str:
    """What a file of a module is called on a page: « 2-copie-moyenne.md » is « Copie moyenne »."""
    name = PurePosixPath(path)
    words = re.sub(r"^\d+\s+", "", name.stem.replace("-", " ").replace("_", " ").strip()) or name.name
    return words[0].upper() + words[1:]


def render_inline_markdown(text: str) -> SafeString:
    """The same without the paragraph around, for a label."""
    html = nh3.clean(_markdown.render(text), tags={"em", "strong", "code", "sub", "sup", "br"})
    return mark_safe(re.sub(r"\s+\Z", "", html))  # noqa: S308 - cleaned on the line above
