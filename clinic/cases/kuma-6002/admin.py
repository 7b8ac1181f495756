# SPDX-License-Identifier: Apache-2.0
from django.contrib import admin
from wiki.models import BCSignal

admin.site.register(BCSignal)
