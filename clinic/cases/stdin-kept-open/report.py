# SPDX-License-Identifier: Apache-2.0
import subprocess


def sort_lines(lines: list[str]) -> int:
    with open("sorted.txt", "w") as file:
        process = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=file, text=True)
        for line in lines:
            process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.wait()  # <- waits


print(sort_lines(["pear", "apple", "plum"]))
