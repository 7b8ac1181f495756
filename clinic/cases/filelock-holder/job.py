# SPDX-License-Identifier: Apache-2.0
import time

from filelock import FileLock


def load_corpus() -> str:
    with FileLock("corpus.lock"):  # <- locks
        return "corpus"


print(load_corpus())
time.sleep(60)
