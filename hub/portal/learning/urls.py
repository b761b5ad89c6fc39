"""Sessions as learners and their followers see them."""

from __future__ import annotations

from django.urls import path

from hub.portal.learning.views import (
    after_submission,
    attendance,
    following,
    module,
    my_courses,
    quiz,
    session,
    sheet,
    state,
)

MODULE = "session/<slug:session>/module/<slug:module>/"

urlpatterns = [
    path("mes-parcours/", my_courses.my_courses, name="my_courses"),
    path("session/<slug:session>/", session.session, name="session"),
    path("session/<slug:session>/inscription/", session.enrolment, name="enrolment"),
    path("session/<slug:session>/desinscription/", session.withdrawal, name="withdrawal"),
    path(MODULE, module.module, name="module"),
    path(f"{MODULE}ouvrir/<slug:view>/", module.opening, name="module_opening"),
    path(f"{MODULE}soumettre/", module.submission, name="module_submission"),
    path(f"{MODULE}apres-depot/<path:path>", after_submission.after_submission, name="after_submission"),
    path(f"{MODULE}fiche/<slug:version>.<slug:form>", sheet.sheet, name="sheet"),
    path(f"{MODULE}essais/", module.attempts, name="module_attempts"),
    path(f"{MODULE}etat/", state.state, name="module_state"),
    path(f"{MODULE}qcm/", quiz.quiz, name="quiz"),
    path("gestion/sessions/<slug:session>/", following.followed_session, name="followed_session"),
    path("gestion/sessions/<slug:session>/suivi.csv", following.followed_session_csv, name="followed_session_csv"),
    path("gestion/sessions/<slug:session>/presence/", attendance.attendance, name="attendance"),
    path("gestion/sessions/<slug:session>/document.pdf", attendance.session_document, name="session_document"),
    path("gestion/sessions/<slug:session>/inscrire/", following.enrol_people, name="enrol_people"),
]
