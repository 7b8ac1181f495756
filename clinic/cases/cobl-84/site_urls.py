# SPDX-License-Identifier: Apache-2.0
from django.shortcuts import render
from django.urls import path
from lexicon.models import Language, Lexeme, MeaningList, MeaningListOrder


def view_language(request, name):
    wordlist = MeaningList.objects.get(name="Jena200")
    language = Language.objects.get(name=name)
    lexemes = list(Lexeme.objects.filter(language=language).select_related("meaning"))
    for lexeme in lexemes:
        place = MeaningListOrder.objects.get(  # <- looks
            meaning_list=wordlist, meaning=lexeme.meaning
        )
        lexeme.place = place.order
    lexemes.sort(key=lambda lexeme: lexeme.place)
    return render(request, "language.html", {"language": language, "lexemes": lexemes})


urlpatterns = [path("language/<name>/", view_language)]
