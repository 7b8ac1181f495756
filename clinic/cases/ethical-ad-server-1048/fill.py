# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from adserver.models import Advertisement

for number in range(100):
    Advertisement.objects.create(name=f"ad {number}", clicks=number * 7 % 100)
