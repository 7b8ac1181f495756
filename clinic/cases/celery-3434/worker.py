# SPDX-License-Identifier: Apache-2.0
from tasks import app

app.Worker(concurrency=4, optimization="fast", loglevel="INFO").start()  # as -O fast once was
