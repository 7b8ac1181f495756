"""``python -m tests.fuzz [INPUTS]``: 120,000 damaged inputs by default, the same in each run.

Prints a line a campaign: inputs, how many were read, how many refused. Anything but the documented
errors ends it with the input that did it.
"""

from __future__ import annotations

import sys
import time

from tests.fuzz.campaigns import CAMPAIGNS, Campaign
from tests.unit.procfs.mutation import mutations

_SEED = 20260


def run(campaign: Campaign, inputs: int, seed: int = _SEED) -> tuple[int, int]:
    """(read, refused). Raises whatever a reader should not raise, with the input as a note."""
    accepted = refused = 0
    share, rest = divmod(inputs, len(campaign.samples))
    for number, sample in enumerate(campaign.samples):
        for damaged in mutations(sample, share + (number < rest), seed + number):
            try:
                campaign.read(damaged)
                accepted += 1
            except campaign.allowed:
                refused += 1
            except BaseException:
                print(f"FAULT in {campaign.name}: {damaged!r}", file=sys.stderr)
                raise
    return accepted, refused


def main() -> int:
    """Every campaign gets its share of the inputs."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 120_000
    weights = sum(campaign.weight for campaign in CAMPAIGNS)
    total = 0
    for campaign in CAMPAIGNS:
        begin = time.monotonic()
        share = -(-inputs * campaign.weight // weights)
        accepted, refused = run(campaign, share)
        total += accepted + refused
        passed = time.monotonic() - begin
        print(
            f"{campaign.name:<28} {accepted + refused:>8,} inputs  {accepted:>8,} read  "
            f"{refused:>8,} refused  {passed:6.1f} s",
            flush=True,
        )
    print(f"{total:,} inputs, no fault")
    return 0


if __name__ == "__main__":
    sys.exit(main())
