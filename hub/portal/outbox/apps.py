from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "hub.portal.outbox"
    label = "outbox"
    verbose_name = _("Messages à envoyer")

    def ready(self) -> None:
        from graders.signals import worker_round

        worker_round.connect(_send_again, dispatch_uid="outbox.again", weak=False)


def _send_again(**_kwargs: Any) -> None:
    from hub.portal.outbox.sending import queue_again

    queue_again()
