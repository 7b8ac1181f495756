# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

Route.BASE = os.environ["DISCORD"]
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD"].replace("http", "ws") + "/ws")
client = discord.Client(intents=discord.Intents.default())


@client.event
async def on_message(message):
    if message.content.startswith("!chat"):
        await asyncio.sleep(1)  # what it waits for
        await message.channel.send("well")
    elif message.content == "!ping":
        await message.channel.send("pong")


client.run("token", log_handler=None)
