"""Publishing: immutable versions, learners' files apart from sources, sessions that follow."""

from __future__ import annotations

import hashlib
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from graders.models import Assignment
from hub.portal.catalogue.coursefile import CourseFileError
from hub.portal.catalogue.models import Course, CourseSession, CourseVersion
from hub.portal.catalogue.publish import publish
from hub.portal.learning.delivery import module_files, open_blob

pytestmark = pytest.mark.django_db


def set_version(folder, version):
    path = folder / "course.yml"
    lines = [f'version: "{version}"' if line.startswith("version:") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def change_title(folder, title):
    path = folder / "course.yml"
    path.write_text(path.read_text().replace("title: Second module", f"title: {title}"))


def set_debug(settings, debug):
    import dataclasses

    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, debug=debug)


def test_publishing_opens_the_listed_session_and_gives_its_assignments(course_folder):
    publication = publish(course_folder)
    assert publication.outcome == "published"
    session = CourseSession.objects.get(slug="petit")
    assert (session.state, session.enrolment, session.course_version) == ("open", "open", publication.version)
    assignments = Assignment.objects.filter(session="petit").select_related("current")
    assert {row.name: row.current.max_points for row in assignments if row.current} == {"m1": 4, "m2": 4}


def test_the_same_folder_twice_changes_nothing(course_folder):
    first = publish(course_folder).version
    again = publish(course_folder)
    assert again.outcome == "unchanged"
    assert again.version == first
    assert CourseVersion.objects.count() == CourseSession.objects.count() == Course.objects.count() == 1


def test_the_same_version_with_another_content_is_refused(course_folder):
    digest = publish(course_folder).version.digest
    change_title(course_folder, "Autre titre")
    with pytest.raises(CourseFileError, match="changez `version`") as caught:
        publish(course_folder)
    assert (caught.value.key, caught.value.line) == ("version", 3)
    assert CourseVersion.objects.get().digest == digest


def test_a_data_file_is_content_too(course_folder):
    publish(course_folder)
    (course_folder / "m1" / "data" / "mesures.csv").write_text("x;y\n9;9\n")
    with pytest.raises(CourseFileError, match="changez `version`"):
        publish(course_folder)


def test_a_dev_version_may_change(course_folder):
    set_version(course_folder, "1.1.dev")
    publish(course_folder)
    change_title(course_folder, "Autre titre")
    assert publish(course_folder).outcome == "replaced"
    assert CourseVersion.objects.get().modules[1].title == "Autre titre"
    assert Assignment.objects.get(session="petit", name="m2").title == "Autre titre"


def test_under_debug_any_version_may_change(course_folder, settings):
    publish(course_folder)
    set_debug(settings, True)
    change_title(course_folder, "Autre titre")
    assert publish(course_folder).outcome == "replaced"


def test_a_new_version_becomes_current_and_its_own_sessions_follow(course_folder, denis):
    old = publish(course_folder).version
    opened_by_denis = CourseSession.objects.create(
        slug="promo", title="Promo", course_version=old, opened_by=denis, state="open"
    )
    set_version(course_folder, "2.0")
    publication = publish(course_folder)
    assert [session.slug for session in publication.moved] == ["petit"]
    assert CourseVersion.objects.filter(is_current=True).get() == publication.version
    opened_by_denis.refresh_from_db()
    assert opened_by_denis.course_version == old
    assert Assignment.objects.get(session="petit", name="m1").version == "2.0"


def test_an_older_version_published_again_is_restored(course_folder):
    publish(course_folder)
    set_version(course_folder, "2.0")
    publish(course_folder)
    set_version(course_folder, "1.0")
    publication = publish(course_folder)
    assert publication.outcome == "restored"
    assert CourseVersion.objects.get(is_current=True).version == "1.0"


def test_a_module_that_goes_takes_its_assignment_away(course_folder):
    publish(course_folder)
    text = (course_folder / "course.yml").read_text()
    start, end = text.index("  - slug: m2"), text.index("completion:")
    text = text[:start] + text[end:].replace("reviewed: [ m2 ]", "reviewed: []")
    (course_folder / "course.yml").write_text(text)
    set_version(course_folder, "2.0")
    publish(course_folder)
    assert Assignment.objects.get(session="petit", name="m2").withdrawn_at is not None
    assert Assignment.objects.get(session="petit", name="m1").withdrawn_at is None


def test_a_session_of_another_course_is_not_taken(course_folder, petit):
    text = (course_folder / "course.yml").read_text().replace("slug: petit\n", "slug: grand\n", 1)
    (course_folder / "course.yml").write_text(text)
    with pytest.raises(CourseFileError, match="autre parcours"):
        publish(course_folder)
    assert not Course.objects.filter(slug="grand").exists()


def test_delivered_files_are_the_released_ones(petit):
    found = module_files("petit", "m1")
    assert found is not None
    assert [file.path for file in found.files] == ["data/mesures.csv", "exercices.ipynb", "lecon.ipynb"]
    for file in found.files:
        data = open_blob("petit", "m1", file.sha256)
        assert data is not None
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size_bytes)
        assert b"SOLUTION" not in data and b"HIDDEN" not in data and b"double(-3)" not in data


def test_what_the_module_does_not_list_is_not_given(petit, settings):
    """Not another module's file, not a source (the solution), not a path."""
    other = module_files("petit", "m2")
    assert other is not None
    assert open_blob("petit", "m1", other.files[0].sha256) is None
    folder = settings.ENVIRONMENT.state_dir / "courses" / "petit" / "1.0"
    manifest = json.loads((folder / f"{petit.digest}.json").read_text())
    source = manifest["modules"]["m1"]["source"]["exercices.ipynb"]["sha256"]
    assert open_blob("petit", "m1", source) is None
    assert open_blob("petit", "m1", "../source") is None
    assert module_files("petit", "m3") is None
    assert module_files("absente", "m1") is None


def test_synccourses_says_what_it_did_and_one_bad_course_does_not_stop_the_others(course_folder, settings, tmp_path):
    import dataclasses

    (tmp_path / "casse").mkdir()
    (tmp_path / "casse" / "course.yml").write_text("slug: [")
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, courses_dir=tmp_path)
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 parcours sur 2 n’est pas publié.*casse/course.yml, ligne 1"):
        call_command("synccourses", stdout=out)
    text = out.getvalue()
    assert "casse/course.yml, ligne 1" in text
    assert "petit" in text and "publié" in text and "session petit ouverte" in text
    out = StringIO()
    call_command("synccourses", "--course", "petit", stdout=out)
    assert "inchangé" in out.getvalue()
    with pytest.raises(CommandError, match="Aucun parcours"):
        call_command("synccourses", "--course", "absent")
