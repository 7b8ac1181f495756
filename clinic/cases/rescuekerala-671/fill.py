# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0, run_syncdb=True)

from relief.models import Request

Request.objects.bulk_create(
    Request(
        district="ekm",
        location=f"house {number}, north of the river, near the school",
        requestee=f"person {number}",
        requestee_phone=f"{9000000000 + number}",
        detailwater="ten litres a day",
        needothers="rice, blankets",
    )
    for number in range(20_000)
)
