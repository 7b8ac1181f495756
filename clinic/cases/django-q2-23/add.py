# SPDX-License-Identifier: Apache-2.0
"""add.py COUNT: so many tasks."""

import sys

import django

django.setup()
from django_q.tasks import async_task  # noqa: E402

for number in range(int(sys.argv[1])):
    async_task("math.sqrt", number)
