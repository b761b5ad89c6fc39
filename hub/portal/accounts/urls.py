"""Pages about people; allauth's own are under /compte/ too (hub/portal/urls.py)."""

from __future__ import annotations

from django.urls import path

from hub.portal.accounts.views import first_admin, profile, review, state

urlpatterns = [
    path("compte/attente/", profile.waiting, name="waiting"),
    path("compte/profil/", profile.profile, name="profile"),
    path("premier-acces/<str:token>/", first_admin.first_admin, name="first_admin"),
    path("identity/etat/<str:hub_name>", state.person_state, name="person_state"),
    path("gestion/comptes/", review.accounts, name="accounts"),
    path("gestion/comptes/approuver/", review.approve, name="accounts_approve"),
    path("gestion/comptes/<int:pk>/", review.account, name="account"),
    path("gestion/comptes/<int:pk>/refuser/", review.refuse, name="account_refuse"),
    path("gestion/comptes/<int:pk>/desactiver/", review.deactivate, name="account_deactivate"),
    path("gestion/comptes/<int:pk>/reactiver/", review.reactivate, name="account_reactivate"),
]
