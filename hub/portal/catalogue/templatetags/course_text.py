"""Filters over `catalogue.presentation`, for templates of the catalogue and of learning."""

from __future__ import annotations

from django import template

from hub.portal.catalogue import presentation

register = template.Library()
register.filter("duration", presentation.render_duration)
register.filter("file_title", presentation.file_title)
register.filter("points", presentation.render_points)
register.filter("markdown", presentation.render_markdown)
register.filter("inline_markdown", presentation.render_inline_markdown)
