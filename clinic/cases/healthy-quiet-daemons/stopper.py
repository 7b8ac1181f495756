# SPDX-License-Identifier: Apache-2.0
"""Has told others what to do, and waits to be told to end."""

import signal
import threading

ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
print("stopper is ready", flush=True)
ended.wait()
