# SPDX-License-Identifier: Apache-2.0
from django.db import models


class Meaning(models.Model):
    gloss = models.CharField(max_length=64)


class MeaningList(models.Model):
    name = models.CharField(max_length=128)


class MeaningListOrder(models.Model):
    meaning_list = models.ForeignKey(MeaningList, models.CASCADE)
    meaning = models.ForeignKey(Meaning, models.CASCADE)
    order = models.FloatField()


class Language(models.Model):
    name = models.CharField(max_length=128)


class Lexeme(models.Model):
    language = models.ForeignKey(Language, models.CASCADE)
    meaning = models.ForeignKey(Meaning, models.CASCADE)
    form = models.CharField(max_length=128)
