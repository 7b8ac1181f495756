# SPDX-License-Identifier: Apache-2.0
import os

import praw

URL = f"http://127.0.82.1:{int(os.environ['PORT']) + 1}"
reddit = praw.Reddit(
    client_id="id",
    client_secret="secret",
    user_agent="adviser",
    username="adviser",
    password="password",
    reddit_url=URL,
    oauth_url=URL,
    check_for_updates=False,
)
subscribed = [f"reader{number}" for number in range(130)]
for user in subscribed:
    reddit.redditor(user).message(subject="Update", message="A new one is going up")  # <- sends
