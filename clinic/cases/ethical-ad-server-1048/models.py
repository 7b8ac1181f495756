# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Advertisement(models.Model):
    name = models.CharField(max_length=80)
    clicks = models.IntegerField(default=0)
