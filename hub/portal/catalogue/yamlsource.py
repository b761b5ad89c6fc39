"""A YAML file read with the line of each key, so that an error can be shown where it is.

Laws: only plain data (no tags, no anchors: an alias bomb is a small file and a huge tree), no key twice, one megabyte
at most. Every refusal is a `YamlError` with a line; nothing here knows what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

MAX_SIZE_BYTES = 1 << 20
MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]


class YamlError(ValueError):
    """The file cannot be read; the text is for its author."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True)
class YamlSource:
    """The data of one file, and the line of each of its keys."""

    data: Any
    lines: dict[KeyPath, int]

    def line_of(self, path: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest one around it (a missing key has no line)."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(tuple(path[:length]))
            if line is not None:
                return line
        return 1


def load_yaml(file: Path) -> YamlSource:
    """Read one file.

    Raises
    ------
    YamlError
        It is absent, too big, not YAML, holds an anchor, a tag or a key twice.
    """
    try:
        if file.stat().st_size > MAX_SIZE_BYTES:
            raise YamlError(1, _("le fichier dépasse un mégaoctet"))
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(1, _("le fichier n’est pas en UTF-8")) from error
    except OSError as error:
        raise YamlError(1, _("le fichier est illisible ou absent")) from error
    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        lines = dict(_walk(node, ())) if node is not None else {}
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, _("ce n’est pas du YAML valide")) from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(1, _("ce n’est pas du YAML valide")) from error
    return YamlSource(data=data, lines=lines)


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(line, _("les ancres et les renvois YAML (& et *) ne sont pas acceptés"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError(line, _("trop de niveaux imbriqués"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _walk(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise YamlError(key.start_mark.line + 1, _("la clé « %(key)s » figure deux fois") % {"key": name})
            seen.add(name)
            yield from _walk(value, (*path, name))
            yield (*path, name), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _walk(value, (*path, position))
