# SPDX-License-Identifier: Apache-2.0
import json

from api.importer import import_monster
from api.models import Document
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Loads all data of a directory into the database."

    def handle(self, *args, **options):
        document, _ = Document.objects.get_or_create(slug="wotc-srd")
        with open("monsters.json") as file:
            items = json.load(file)
        for item in items:
            import_monster(item, document)
