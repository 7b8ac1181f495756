# SPDX-License-Identifier: Apache-2.0
from django.shortcuts import render
from django.urls import path


def sounds(request):
    return render(request, "sounds.html", {"sounds": range(30)})  # <- renders


urlpatterns = [path("", sounds)]
