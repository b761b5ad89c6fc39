from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "hub.portal"
    label = "portal"
