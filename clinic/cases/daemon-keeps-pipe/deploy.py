# SPDX-License-Identifier: Apache-2.0
from plumbum import local


def restart() -> str:
    return local["sh"]["-c", "tail -f /dev/null & echo started"]()  # <- runs


open("begun", "w").close()
print(restart())
