# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Document(models.Model):
    title = models.CharField(max_length=255)
    locale = models.CharField(max_length=7)

    def __str__(self):
        return f"[{self.locale}] {self.title}"


class BCSignal(models.Model):
    document = models.ForeignKey(Document, models.CASCADE)
    browser = models.CharField(max_length=50)
