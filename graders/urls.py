"""Addresses of the review pages, below `/relecture/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from graders import views

urlpatterns: list[URLPattern] = [
    path("", views.reviews, name="reviews"),
    path("<slug:session>/", views.session_reviews, name="session-reviews"),
    path("<slug:session>/<int:attempt>/", views.review, name="review"),
]
