# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User

for number in range(30):
    User.objects.create(username=f"user{number}")
