# SPDX-License-Identifier: Apache-2.0
from concurrent.futures import ThreadPoolExecutor


def load(name: str) -> str:
    from plugins import NAMES  # <- imports

    return name + NAMES[name]


NAMES = {"csv": "1", "json": "2"}
with ThreadPoolExecutor(2) as pool:
    LOADED = list(pool.map(load, NAMES))  # <- imports
