# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from allocation.models import Allocation, Member, Project, Researcher
from django.contrib.auth.models import User

User.objects.create(username="admin", is_staff=True, is_superuser=True)
project = Project.objects.create(title="Folding")
researchers = [Researcher.objects.create(name=f"r{n}", project=project) for n in range(50)]
allocation = Allocation.objects.create(title="Cluster")
for one in researchers[:6]:
    Member.objects.create(allocation=allocation, researcher=one)
