# SPDX-License-Identifier: Apache-2.0
import sys

open("started", "w").close()
for line in sys.stdin:
    print(line.upper(), end="")
