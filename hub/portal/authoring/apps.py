from django.apps import AppConfig


class AuthoringConfig(AppConfig):
    name = "hub.portal.authoring"
    label = "authoring"
