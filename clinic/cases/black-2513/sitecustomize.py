# SPDX-License-Identifier: Apache-2.0
"""A node of 64 CPUs."""

import os

os.cpu_count = lambda: 64
