"""One achievement, which tests of badges issue."""

from __future__ import annotations

from typing import Any

from badges.credential import Achievement


def make_achievement(image_svg: bytes, **more: Any) -> Achievement:
    return Achievement(
        key="petit-parcours/parcours",
        course="petit-parcours",
        version="1.2",
        title="Petit parcours d’été",
        description="Mesurer, tracer, modéliser.",
        criteria="Obtenir 60 % des points.",
        image_svg=image_svg,
        hours=6.5,
        **more,
    )
