# SPDX-License-Identifier: Apache-2.0
import json

WORDS = "The creature can breathe air and water and has advantage on saving throws. "
items = [
    {
        "slug": f"monster-{number}",
        "name": f"Monster {number}",
        "desc": WORDS * (number % 17 + 1),
        "armor_class": 10 + number % 9,
        "hit_points": number % 300,
    }
    for number in range(40_000)
]
with open("monsters.json", "w") as file:
    json.dump(items, file)
