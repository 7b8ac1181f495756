# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Project(models.Model):
    title = models.CharField(max_length=50)


class Researcher(models.Model):
    name = models.CharField(max_length=50)
    project = models.ForeignKey(Project, models.CASCADE)

    def __str__(self):
        return f"{self.name} ({self.project.title})"  # <- follows


class Allocation(models.Model):
    title = models.CharField(max_length=50)


class Member(models.Model):
    allocation = models.ForeignKey(Allocation, models.CASCADE)
    researcher = models.ForeignKey(Researcher, models.CASCADE)
