# SPDX-License-Identifier: Apache-2.0
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import include, path

settings.configure(
    DEBUG=True,
    SECRET_KEY="-",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INTERNAL_IPS=["127.0.0.1"],
    STATIC_URL="static/",
    INSTALLED_APPS=["django.contrib.staticfiles", "debug_toolbar"],
    MIDDLEWARE=["debug_toolbar.middleware.DebugToolbarMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()


def index(request):
    return HttpResponse("ok")


urlpatterns = [path("", index), path("__debug__/", include("debug_toolbar.urls"))]
application = get_wsgi_application()
