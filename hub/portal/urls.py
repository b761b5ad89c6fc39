"""Addresses of the portal: each app owns its pages (docs/reference/interfaces.md, section 4)."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from hub.portal import views

admin.site.index_template = "portal/administration.html"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's page: limits, second factor

urlpatterns = [
    path("", include("hub.portal.catalogue.urls")),
    path("", include("hub.portal.learning.urls")),
    path("", include("hub.portal.accounts.urls")),
    path("atelier/", include("hub.portal.authoring.urls")),
    path("relecture/", include("graders.urls")),
    path("", include("badges.urls")),
    path("api/v1/", include("hub.portal.door.urls")),
    path("compte/", include("allauth.urls")),
    path("", include("allauth.idp.urls")),
    path("administration/", admin.site.urls),
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("confidentialite/", views.privacy, name="privacy"),
    path("health", views.health, name="health"),
    path("langue/", include("django.conf.urls.i18n")),
]

if settings.DEBUG:
    urlpatterns.append(path("patterns", views.patterns, name="patterns"))

handler400 = "hub.portal.views.bad_request"
handler403 = "hub.portal.views.permission_denied"
handler404 = "hub.portal.views.page_not_found"
handler500 = "hub.portal.views.server_error"
