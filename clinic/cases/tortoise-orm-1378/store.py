# SPDX-License-Identifier: Apache-2.0
import os

from tortoise import fields
from tortoise.models import Model

CONFIG = {
    "connections": {"default": f"asyncpg://postgres@127.0.0.1:{os.environ['DB']}/postgres"},
    "apps": {"store": {"models": ["store"], "default_connection": "default"}},
}


class Ball(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=50)
    health = fields.IntField(default=0)
    attack = fields.IntField(default=0)
    caught = fields.DatetimeField(auto_now_add=True)
    favorite = fields.BooleanField(default=False)
