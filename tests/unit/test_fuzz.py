"""A short form of ``python -m tests.fuzz``, with other inputs."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import run
from tests.fuzz.campaigns import CAMPAIGNS, Campaign


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_damaged_inputs_are_read_or_refused(campaign: Campaign) -> None:
    accepted, refused = run(campaign, 50, seed=11)
    assert accepted + refused == 50
