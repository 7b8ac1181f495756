# SPDX-License-Identifier: Apache-2.0
import os

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from openai import OpenAI

Route.BASE = os.environ["DISCORD"]
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD"].replace("http", "ws") + "/ws")

client = discord.Client(intents=discord.Intents.default())
model = OpenAI(api_key="key", base_url=os.environ["MODEL"])
memory = []


def reply(text):
    memory.append({"role": "user", "content": text})
    answer = model.chat.completions.create(model="gpt-4", messages=memory[-10:])  # <- asks
    return answer.choices[0].message.content


@client.event
async def on_message(message):
    if message.content.startswith("!chat"):
        await message.channel.send(reply(message.content))
    elif message.content == "!ping":
        await message.channel.send("pong")


client.run("token", log_handler=None)
