# SPDX-License-Identifier: Apache-2.0
import os

import httpx
from telegram.ext import Application, CommandHandler

sales = httpx.AsyncClient(timeout=30)


async def report(update, context):
    answer = await sales.get(os.environ["SALES"])  # <- asks
    await update.message.reply_text(answer.text)


async def help_(update, context):
    await update.message.reply_text("/report")


application = (
    Application.builder().token("1:token").base_url(os.environ["TELEGRAM"] + "/bot").build()
)
application.add_handlers([CommandHandler("report", report), CommandHandler("help", help_)])
application.run_polling(timeout=10)
