# SPDX-License-Identifier: Apache-2.0
import os

import discord
import requests
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

Route.BASE = os.environ["DISCORD"]
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD"].replace("http", "ws") + "/ws")


class Chatbot:
    def get_chat_response(self, prompt):
        asked = {"prompt": prompt}
        return requests.post(os.environ["CHAT"], json=asked, timeout=60).text  # <- asks


client, chatbot = discord.Client(intents=discord.Intents.default()), Chatbot()


@client.event
async def on_message(message):
    if message.content.startswith("!chat"):
        await message.channel.send(chatbot.get_chat_response(message.content))
    elif message.content == "!ping":
        await message.channel.send("pong")


client.run("token", log_handler=None)
