"""Who must refuse what: every cell of the table of `docs/reference/verifiers.md`, by code that nobody here wrote (and by ours)."""

from __future__ import annotations

import pytest

from tests.badges.outside.portal import Portal
from tests.badges.outside.tamperings import TAMPERINGS, VERIFIERS, Desk
from tests.badges.outside.verifiers import Verdicts, verify_everywhere


@pytest.fixture(scope="module")
def verdicts(portal: Portal) -> Verdicts:
    desk = Desk(portal)
    return verify_everywhere(portal, {name: tamper(desk) for name, (tamper, _refusers) in TAMPERINGS.items()})


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampering_is_refused_by_who_must_see_it(tampering: str, verifier: str, verdicts: Verdicts) -> None:
    why = verdicts[tampering][verifier]
    if verifier in TAMPERINGS[tampering][1]:
        assert why, f"{verifier} accepts: {tampering}"
    else:
        assert not why, f"{verifier} refuses, which the table does not say: {why}"
