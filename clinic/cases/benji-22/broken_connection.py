# SPDX-License-Identifier: Apache-2.0
"""Has a pipe, as sshd has, and passes nothing on: its client is gone, and TCP does not know it."""

import signal

signal.pause()
