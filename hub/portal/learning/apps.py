from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "hub.portal.learning"
    label = "learning"

    def ready(self) -> None:
        from hub.portal.learning import receivers  # noqa: F401 - connects them
