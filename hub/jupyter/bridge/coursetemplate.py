"""A small complete course to start from: `share/course-template/`, filled with a slug, a title and an author.

Used by the bridge (« Nouveau parcours ») and by the command `pupitre newcourse`. The template is itself a valid course:
a test publishes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent / "share" / "course-template"
SLUG, TITLE, AUTHOR = "mon-parcours", "Mon parcours", "Votre nom"


def make_course_files(slug: str, title: str, author: str) -> Iterator[tuple[str, bytes]]:
    """Relative path and bytes of each file, `course.yml` last."""
    paths = sorted(path for path in TEMPLATE.rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: path.name == "course.yml"):
        data = path.read_bytes()
        if path.name == "course.yml":
            text = data.decode()
            text = text.replace(f"slug: {SLUG}\n", f"slug: {slug}\n").replace(f"slug: {SLUG},", f"slug: {slug},")
            # A YAML double-quoted string is a JSON string: a title with quotes or colons stays one value.
            text = text.replace(f'"{TITLE}"', json.dumps(title, ensure_ascii=False))
            text = text.replace(f'"{AUTHOR}"', json.dumps(author, ensure_ascii=False))
            data = text.encode()
        yield path.relative_to(TEMPLATE).as_posix(), data
