# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from django.contrib.auth.models import User
from wiki.models import BCSignal, Document

User.objects.create(username="admin", is_staff=True, is_superuser=True)
Document.objects.bulk_create(
    Document(title=f"Web/API/Interface{n}/method", locale="en-US") for n in range(12_000)
)
BCSignal.objects.create(document=Document.objects.first(), browser="Firefox")
