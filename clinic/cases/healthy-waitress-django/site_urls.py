# SPDX-License-Identifier: Apache-2.0
from cachetools.func import ttl_cache
from django.core.cache import cache
from django.shortcuts import render
from django.urls import path
from shop.models import Article


@ttl_cache(maxsize=10, ttl=2)
def offers():
    return list(Article.objects.order_by("price")[:8])


def index(request):
    seen = cache.incr("seen") if cache.get("seen") else cache.set("seen", 1)
    return render(request, "index.html", {"seen": seen, "offers": offers()})


def article(request, number):
    name = cache.get_or_set(f"name-{number}", Article.objects.get(id=number).name, 3)
    return render(request, "index.html", {"seen": name, "offers": []})


urlpatterns = [path("", index), path("article/<int:number>", article)]
