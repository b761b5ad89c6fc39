"""How a form's field looks: Bootstrap's class, and what a screen reader must know of help and errors."""

from __future__ import annotations

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_choice_list(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)


@register.filter
def dressed(field: BoundField) -> SafeString:
    """The field's widget with its class, `aria-invalid` and `aria-describedby`."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        look = "form-check-input"
    elif isinstance(widget, forms.Select):
        look = "form-select"
    else:
        look = "form-control"
    # A placeholder that repeats the label vanishes while one types, and is too pale to read.
    attributes: dict[str, str | bool] = {
        "placeholder": False,
        "class": f"{widget.attrs.get('class', '')} {look}".strip(),
    }
    described = []
    if field.help_text:
        described.append(f"{field.auto_id}_helptext")
    if field.errors:
        attributes["class"] = f"{attributes['class']} is-invalid"
        attributes["aria-invalid"] = "true"
        described.append(f"{field.auto_id}_error")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return SafeString(field.as_widget(attrs=attributes))
