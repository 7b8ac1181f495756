# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Request(models.Model):
    district = models.CharField(max_length=15)
    location = models.CharField(max_length=500)
    requestee = models.CharField(max_length=100)
    requestee_phone = models.CharField(max_length=14)
    latlng = models.CharField(max_length=100, blank=True)
    needwater = models.BooleanField(default=False)
    detailwater = models.CharField(max_length=250, blank=True)
    needmed = models.BooleanField(default=False)
    needothers = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, default="new")
    dateadded = models.DateTimeField(auto_now_add=True)
