"""One validator of nbgrader's metadata for a whole command.

`jsonschema.validate` checks the schema itself each time, and builds a validator for it: for nbgrader's own schema, and for
each cell, three times per notebook.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from jsonschema.exceptions import best_match  # type: ignore[import-untyped]
from jsonschema.validators import validator_for  # type: ignore[import-untyped]
from nbgrader.nbgraderformat import common

_last: tuple[Any, Any] = (None, None)


def validate(instance: Any, schema: Any) -> None:
    """As `jsonschema.validate`, for a schema that is known to be one.

    Raises
    ------
    jsonschema.ValidationError
        The one that `jsonschema.validate` raises.
    """
    global _last
    if _last[0] is not schema:
        _last = schema, validator_for(schema)(schema)
    error = best_match(_last[1].iter_errors(instance))
    if error is not None:
        raise error


def keep_validator() -> None:
    """From now on, in this process, nbgrader's cells are validated by it."""
    common.jsonschema = SimpleNamespace(validate=validate)
