"""A person's way in and out: live sessions on the portal, and what must end at the Hub when they sign out.

Laws: `has_live_session` writes nothing (the Hub asks it while the portal may hold a transaction); ending someone's
access at the Hub never delays or fails a page: tokens and servers are ended by a thread of the portal, which alone
holds the right to do so. What a dying portal leaves undone, `PortalAuthenticator.refresh_user` refuses within a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from hub.portal import hubapi
from hub.portal.accounts.models import User

logger = logging.getLogger(__name__)
RETRY_DELAYS_S = (0, 1, 5, 15, 60)


def has_live_session(user: User) -> bool:
    """Whether some browser is signed in to the portal as this person, with today's password."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    expected = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    for key in (
        UserSession.objects.filter(user_id=user.pk).order_by("-last_seen_at").values_list("session_key", flat=True)
    ):
        proof = store(key).get(HASH_SESSION_KEY, "")
        if any(constant_time_compare(proof, value) for value in expected):
            return True
    return False


def ended_stamp(user: User | None) -> str:
    """When the person's access was last ended, as the Hub keeps it in its cookies; empty: never."""
    return f"{int(user.access_ended_at.timestamp() * 1_000_000):x}" if user and user.access_ended_at else ""


def may_use_hub(user: User | None) -> bool:
    """What the Hub asks again every minute: active, approved and signed in."""
    return user is not None and user.is_active and user.is_approved and has_live_session(user)


def end_sessions(user: User, keep: str | None = None) -> int:
    """Sign the person out of the portal everywhere, except in the session named `keep`."""
    ended = 0
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=keep or ""):
        session.end()
        ended += 1
    return ended


def _end_at_hub(hub_name: str) -> None:
    """Tokens first: they are what could be misused. A busy or restarting Hub is asked again."""
    for delay_s in RETRY_DELAYS_S:
        time.sleep(delay_s)
        if hubapi.revoke_tokens(hub_name) and hubapi.stop_servers(hub_name):
            logger.info("Access of %s ended at the Hub", hub_name)
            return
        if not hubapi.has_hub():
            return
    logger.error("Access of %s not ended at the Hub, which refuses or does not answer", hub_name)


def end_hub_access(user: User) -> threading.Thread:
    """End the person's Hub cookies, revoke their tokens and stop their servers, without waiting for it."""
    User.objects.filter(pk=user.pk).update(access_ended_at=timezone.now())
    thread = threading.Thread(target=_end_at_hub, args=(user.hub_name,), name=f"end-{user.hub_name}", daemon=True)
    thread.start()
    return thread
