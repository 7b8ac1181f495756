"""``python -m iotrace.demo.loader``: carries out one load after the other, untraced.

Reads one line a load, the arguments of ``iotrace.servers.load`` as a JSON list, and writes one
line with its result. It has everything imported by the time that it is asked, so a load begins
at once. It ends with its input.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from iotrace.servers.load import plan_from, run_load


def main() -> None:
    """Until the end of the input."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(run_load(plan_from(json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
