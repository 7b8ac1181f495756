# SPDX-License-Identifier: Apache-2.0
"""Features of molecules: for each bond the difference of its atoms' electronegativities."""

import random
import time

from mendeleev import element

ATOMS = ("C", "C", "C", "H", "H", "H", "H", "N", "O", "S", "Cl")


def difference(one, other):
    left, right = element(one), element(other)  # <- looks
    return abs(left.en_pauling - right.en_pauling)


def features(bonds):
    return [difference(*random.choices(ATOMS, k=2)) for _ in range(bonds)]


print("begins", flush=True)
while True:
    started = time.monotonic()
    features(3)
    print(f"{time.monotonic() - started:.3f} s for a molecule", flush=True)
