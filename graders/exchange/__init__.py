"""nbgrader's exchange without a shared directory: every transfer is a call of the portal's door.

    door.py                 the calls, over the bridge's local socket or directly with a token
    folder.py               files to and from a folder, following no link and leaving it by no path
    exchange.py             what the classes share: names, timestamps, errors as sentences
    cache.py                nbgrader_cache/COURSE/STUDENT+ASSIGNMENT+TIMESTAMP/, submissions of this person
    fetch_assignment.py … collect.py   one nbgrader operation each

Laws: who the person is and what they may do is decided by the portal from the token, never by a name given here;
a path or a name that comes from the portal is checked before it is joined; every failure is `self.fail()` with a
French sentence. Named in the configuration as `c.ExchangeFactory.<operation> = "graders.exchange.Exchange…"`.
"""

from graders.exchange.collect import ExchangeCollect
from graders.exchange.exchange import Exchange
from graders.exchange.fetch_assignment import ExchangeFetchAssignment
from graders.exchange.fetch_feedback import ExchangeFetchFeedback
from graders.exchange.list import ExchangeList
from graders.exchange.release_assignment import ExchangeReleaseAssignment
from graders.exchange.release_feedback import ExchangeReleaseFeedback
from graders.exchange.submit import ExchangeSubmit

__all__ = [
    "Exchange",
    "ExchangeCollect",
    "ExchangeFetchAssignment",
    "ExchangeFetchFeedback",
    "ExchangeList",
    "ExchangeReleaseAssignment",
    "ExchangeReleaseFeedback",
    "ExchangeSubmit",
]
