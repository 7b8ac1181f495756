# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Document(models.Model):
    slug = models.CharField(max_length=255, unique=True)


class Monster(models.Model):
    slug = models.CharField(max_length=255, unique=True)
    document = models.ForeignKey(Document, models.CASCADE)
    name = models.TextField()
    desc = models.TextField()
    armor_class = models.IntegerField()
    hit_points = models.IntegerField()
