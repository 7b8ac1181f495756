# SPDX-License-Identifier: Apache-2.0
SECRET_KEY = "of this machine only"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_urls"
LOADERS = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": ["share/theme", "share/site", "share/templates"],
        "OPTIONS": {"loaders": LOADERS},
    }
]
