# SPDX-License-Identifier: Apache-2.0
import os

from bfxapi import Client

client = Client(ws_host=f"ws://127.0.111.1:{os.environ['WEB']}/ws/2", logLevel="INFO")


@client.ws.on("new_trade")
def trade(told):
    print(told, flush=True)


async def start():
    await client.ws.subscribe("trades", "tBTCUSD")


client.ws.on("connected", start)
client.ws.run()
