# SPDX-License-Identifier: Apache-2.0
import csv

from django.http import HttpResponse
from django.urls import path
from relief.models import Request


def index(request):
    newest = Request.objects.order_by("-id")[:20]
    return HttpResponse("\n".join(f"{one.district}: {one.location}" for one in newest))


def download(request):
    response = HttpResponse(content_type="text/csv")
    writer = csv.writer(response)
    fields = [field.name for field in Request._meta.fields]
    writer.writerow(fields)
    for one in Request.objects.all():  # <- exports
        writer.writerow([getattr(one, field) for field in fields])  # <- exports
    return response


urlpatterns = [path("", index), path("data", download)]
