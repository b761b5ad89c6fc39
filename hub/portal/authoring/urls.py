"""Addresses below `/atelier/`."""

from __future__ import annotations

from django.urls import path

from hub.portal.authoring import views

urlpatterns = [
    path("", views.workshop, name="workshop"),
    path("nouveau/", views.new_course, name="new_course"),
    path("<slug:slug>/ouvrir/", views.open_course, name="open_course"),
]
