from django.apps import AppConfig


class DoorConfig(AppConfig):
    name = "hub.portal.door"
    label = "door"
