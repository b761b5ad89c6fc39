"""`pupitre seeddemo`: people the demonstration and print their passwords."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.portal import demo
from hub.portal.catalogue.models import CourseSession

SESSION = "python-maths-physique"


class Command(BaseCommand):
    help = "Fill the state folder of a demonstration; never use it on real people's."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT.state_dir.name != "demo":
            raise CommandError("seeddemo ne peuple qu'un dossier d'état nommé « demo » (PUPITRE_STATE_DIR=…/demo).")
        session = CourseSession.objects.filter(slug=SESSION).first()
        if session is None:
            raise CommandError(f"la session « {SESSION} » manque : « pupitre synccourses » dit pourquoi.")
        people = [
            demo.ensure_person("Alice Martin", "alice@exemple.fr", "participante"),
            demo.ensure_person("Bob Durand", "bob@exemple.fr", "participant"),
            demo.ensure_person("Claire Petit", "claire@exemple.fr", "formatrice et correctrice", is_author=True),
            demo.ensure_person("Denis Moreau", "denis@exemple.fr", "gestionnaire", is_manager=True),
            demo.ensure_person("Racine", "admin@exemple.fr", "administrateur", is_superuser=True),
        ]
        alice, bob, claire, *_others = people
        demo.ensure_roles(session, claire)
        courses = settings.ENVIRONMENT.courses_dir
        demo.study(alice, session, courses, {"m1", "m2", "m3"}, wrong={"1.3", "2.4"})
        demo.study(bob, session, courses, {"m1"}, wrong={"1.2"})
        demo.wait_until_marked()
        for person in people:
            self.stdout.write(f"  {person.email:22} {person.password:14} {person.role}")
