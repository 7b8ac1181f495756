# SPDX-License-Identifier: Apache-2.0
from adserver.models import Advertisement
from django.http import JsonResponse
from django.urls import path


def report(request):
    best = Advertisement.objects.using("replica").order_by("-clicks")[:10]
    return JsonResponse({"best": [ad.name for ad in best]})  # <- reads


urlpatterns = [path("report/", report)]
