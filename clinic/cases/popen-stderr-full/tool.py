# SPDX-License-Identifier: Apache-2.0
import sys

open("started", "w").close()
for number in range(5_000):
    print(f"warning {number}: deprecated option", file=sys.stderr)
print("done")
