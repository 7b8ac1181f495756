# SPDX-License-Identifier: Apache-2.0
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django
from django.core.management import call_command

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from lexicon.models import Language, Lexeme, Meaning, MeaningList, MeaningListOrder

wordlist = MeaningList.objects.create(name="Jena200")
language = Language.objects.create(name="Hittite")
for number in range(197):
    meaning = Meaning.objects.create(gloss=f"meaning {number}")
    MeaningListOrder.objects.create(meaning_list=wordlist, meaning=meaning, order=197 - number)
    Lexeme.objects.create(language=language, meaning=meaning, form=f"form {number}")
