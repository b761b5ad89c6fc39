from django.apps import AppConfig
from django.core import checks


class BadgesConfig(AppConfig):
    name = "badges"
    verbose_name = "Badges"

    def ready(self) -> None:
        from badges.checks import check_public_url

        checks.register(check_public_url, checks.Tags.database)
