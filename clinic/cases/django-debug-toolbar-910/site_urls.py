# SPDX-License-Identifier: Apache-2.0
import debug_toolbar
from django import forms
from django.shortcuts import render
from django.urls import include, path

PEOPLE = [(number, f"person {number}") for number in range(60)]


class Mate(forms.Form):
    name = forms.CharField()
    born = forms.DateField()
    role = forms.ChoiceField(choices=[(1, "lead"), (2, "mate"), (3, "guest")])
    team = forms.ChoiceField(choices=PEOPLE)


def teams(request):
    mates = forms.formset_factory(Mate, extra=25)()
    return render(request, "teams.html", {"mates": mates})  # <- renders


def index(request):
    return render(request, "index.html")


urlpatterns = [
    path("", index),
    path("teams", teams),
    path("__debug__/", include(debug_toolbar.urls)),
]
