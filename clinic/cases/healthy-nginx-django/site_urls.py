# SPDX-License-Identifier: Apache-2.0
from django.contrib.auth.models import Group
from django.shortcuts import render
from django.urls import path


def index(request):
    request.session["seen"] = request.session.get("seen", 0) + 1
    return render(request, "groups.html", {"groups": Group.objects.order_by("name")[:30]})


urlpatterns = [path("", index)]
