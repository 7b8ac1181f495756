# SPDX-License-Identifier: Apache-2.0
import django

django.setup()

from django.db import connection
from shop.models import Article

with connection.schema_editor() as editor:
    editor.create_model(Article)
Article.objects.bulk_create(Article(name=f"article {n}", price=n / 7) for n in range(200))
