from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "hub.portal.learning"
    label = "learning"
