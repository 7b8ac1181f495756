# SPDX-License-Identifier: Apache-2.0
import os
import urllib.request

import telebot
from telebot import apihelper

apihelper.API_URL = os.environ["TELEGRAM"] + "/bot{0}/{1}"
bot = telebot.TeleBot("1:token")


@bot.message_handler(commands=["report"])
def report(message):
    with urllib.request.urlopen(os.environ["SALES"], timeout=30) as answer:  # <- asks
        bot.send_message(message.chat.id, answer.read().decode())


@bot.message_handler(commands=["help"])
def help_(message):
    bot.send_message(message.chat.id, "/report")


bot.infinity_polling(timeout=15, long_polling_timeout=10)
