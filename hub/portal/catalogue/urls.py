"""Catalogue, course pages, and the sessions that managers open."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from hub.portal.catalogue.views import catalogue, course, sessions

urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path("parcours/<slug:course>/", course.course, name="course"),
    path("parcours/<slug:course>/image.svg", course.course_image, name="course_image"),
    path("parcours/<slug:course>/badges/<slug:badge>.svg", course.badge_image, name="badge_image"),
    path("gestion/", RedirectView.as_view(pattern_name="sessions"), name="management"),
    path("gestion/sessions/", sessions.sessions, name="sessions"),
    path("gestion/sessions/nouvelle/", sessions.new_session, name="new_session"),
    path("gestion/sessions/<slug:session>/modifier/", sessions.edit_session, name="edit_session"),
    path("gestion/sessions/<slug:session>/etat/", sessions.change_state, name="change_session_state"),
    path("gestion/sessions/<slug:session>/version/", sessions.change_version, name="change_session_version"),
    path("gestion/sessions/<slug:session>/roles/", sessions.give_role, name="give_session_role"),
    path(
        "gestion/sessions/<slug:session>/roles/<int:role>/retirer/",
        sessions.withdraw_role,
        name="withdraw_session_role",
    ),
]
