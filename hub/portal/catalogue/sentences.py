"""Pydantic's verdicts as French sentences for the author of a course file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from pydantic_core import ErrorDetails


def sentence_for(error: ErrorDetails) -> str:
    """What is wrong with one value, without a final point."""
    context: dict[str, Any] = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return _("cette clé est obligatoire")
        case "extra_forbidden":
            return _("cette clé est inconnue")
        case "string_type":
            return _("la valeur doit être un texte ; mettez-la entre guillemets")
        case "int_type" | "int_parsing" | "int_from_float":
            return _("la valeur doit être un nombre entier")
        case "float_type" | "float_parsing" | "finite_number":
            return _("la valeur doit être un nombre")
        case "bool_type" | "bool_parsing":
            return _("la valeur doit être true ou false")
        case "list_type":
            return _("la valeur doit être une liste")
        case "model_type" | "model_attributes_type" | "dict_type":
            return _("la valeur doit être un groupe de clés")
        case "literal_error":
            return _("valeurs possibles : %(expected)s") % {
                "expected": str(context.get("expected", "")).replace(" or ", ", ")
            }
        case "greater_than_equal":
            return _("la valeur est trop petite (au moins %(bound)s)") % {"bound": context.get("ge")}
        case "less_than_equal":
            return _("la valeur est trop grande (au plus %(bound)s)") % {"bound": context.get("le")}
        case "string_too_short":
            return _("le texte est vide")
        case "string_too_long":
            return _("le texte est trop long (au plus %(bound)s caractères)") % {"bound": context.get("max_length")}
        case "too_short":
            return _("il en faut au moins %(bound)s") % {"bound": context.get("min_length")}
        case "too_long":
            return _("il y en a trop (au plus %(bound)s)") % {"bound": context.get("max_length")}
        case "string_pattern_mismatch":
            return _("cette forme n’est pas acceptée : minuscules sans accent, chiffres et tirets")
        case "value_error":
            return str(context.get("error", error["msg"]))
        case _:
            return _("valeur refusée (%(reason)s)") % {"reason": error["msg"]}
