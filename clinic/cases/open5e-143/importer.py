# SPDX-License-Identifier: Apache-2.0
from api.models import Monster


def import_monster(item, document):
    """Adds what is new, and updates what was there."""
    if Monster.objects.filter(slug=item["slug"]).exists():
        monster = Monster.objects.get(slug=item["slug"])
    else:
        monster = Monster(slug=item["slug"], document=document)
    monster.name = item["name"]
    monster.desc = item["desc"]
    monster.armor_class = item["armor_class"]
    monster.hit_points = item["hit_points"]
    monster.save()  # <- saves
