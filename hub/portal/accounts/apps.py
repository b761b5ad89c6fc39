from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hub.portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        from hub.portal.accounts import signals  # noqa: F401  connects the receivers
