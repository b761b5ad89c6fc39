"""Django system check (`migrate`, hence every start): the issuer's profile can be read, and the public address did not change
under awards that were issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from badges.awards import check_issuer_unchanged
from badges.errors import IssuerChanged, ProfileRefused
from badges.issuer import load_issuer
from badges.models import Award


def check_public_url(app_configs: Any, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    if not databases or "default" not in databases:
        return []
    if Award._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migration
    try:
        check_issuer_unchanged(load_issuer())
        load_issuer().profile  # noqa: B018 - reading it checks it
    except IssuerChanged as error:
        return [Error(error.message, id="badges.E001")]
    except ProfileRefused as error:
        return [Error(error.message, id="badges.E002")]
    return []
