# SPDX-License-Identifier: Apache-2.0
SECRET_KEY = "clinic"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_q"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.db"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
Q_CLUSTER = {"name": "site", "workers": 3, "orm": "default", "timeout": 60, "retry": 120}
