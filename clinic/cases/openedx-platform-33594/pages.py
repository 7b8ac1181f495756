# SPDX-License-Identifier: Apache-2.0
from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="of this machine only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": "10.46.0.9:11211",
        }
    },
)


def course(request):
    return HttpResponse(cache.get("course") or "made anew")  # <- reads


urlpatterns = [path("", course)]
application = get_wsgi_application()
