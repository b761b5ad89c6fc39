from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hub.portal.accounts"
    label = "accounts"
