"""`pupitre seeddemo`: people the demonstration and print their passwords."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.portal import demo
from hub.portal.catalogue.models import CourseSession
from hub.portal.catalogue.publish import publish_course
from hub.portal.catalogue.sessions import publish_assignments

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
        course = settings.ENVIRONMENT.courses_dir / SESSION
        whole = {module.slug for module in session.course_version.file.main_modules}
        demo.study(alice, session, course, {*whole, "b1"}, wrong={"1.3", "2.4", "4.3"})
        demo.study(bob, session, course, {"m1"}, wrong={"1.2"})
        with TemporaryDirectory() as folder:
            small = demo.write_small_course(Path(folder), claire)
            version = publish_course(small)
            first_steps, _created = CourseSession.objects.get_or_create(
                slug=demo.SMALL_COURSE,
                defaults={"course_version": version, "title": version.title, "state": CourseSession.State.OPEN},
            )
            publish_assignments(first_steps)
            demo.ensure_roles(first_steps, claire)
            demo.study(bob, first_steps, small, {"m1"})
        demo.wait_until_marked()
        demo.review(claire, alice, session, "m9", [2, 2, 1, 2])
        for person in people:
            self.stdout.write(f"  {person.email:22} {person.password:14} {person.role}")
