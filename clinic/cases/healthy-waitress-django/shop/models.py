# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Article(models.Model):
    name = models.CharField(max_length=60)
    price = models.FloatField()
    id = models.AutoField(primary_key=True)
