from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "hub.portal.catalogue"
    label = "catalogue"
