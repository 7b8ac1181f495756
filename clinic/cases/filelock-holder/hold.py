# SPDX-License-Identifier: Apache-2.0
import time

from filelock import FileLock

with FileLock("corpus.lock"):
    open("held", "w").close()
    time.sleep(600)
