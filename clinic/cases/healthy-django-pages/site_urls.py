# SPDX-License-Identifier: Apache-2.0
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.urls import path


def index(request):
    request.session["seen"] = True
    names = [user.username for user in User.objects.order_by("username")[:10]]
    groups = Group.objects.count()
    return HttpResponse(f"{groups} groups: {', '.join(names)}")


def upload(request):
    return HttpResponse(str(request.FILES["file"].size))


urlpatterns = [path("", index), path("upload", upload)]
