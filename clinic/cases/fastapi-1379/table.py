# SPDX-License-Identifier: Apache-2.0
"""table.csv: 20 MB of lines, as a spreadsheet exports them."""

with open("table.csv", "w", newline="\r\n") as out:
    for row in range(100_000):
        out.write(",".join(f"{row * column % 100_003:09}" for column in range(3, 23)) + "\n")
