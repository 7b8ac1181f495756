# SPDX-License-Identifier: Apache-2.0
import os

from fastapi import FastAPI
from fastapi_mail import ConnectionConfig, FastMail, MessageSchema, MessageType

app = FastAPI()
mail = FastMail(
    ConnectionConfig(
        MAIL_USERNAME="shop",
        MAIL_PASSWORD="secret",
        MAIL_FROM="shop@example.org",
        MAIL_SERVER="127.0.101.1",
        MAIL_PORT=int(os.environ["PORT"]) + 1,
        MAIL_STARTTLS=False,
        MAIL_SSL_TLS=False,
        VALIDATE_CERTS=False,
    )
)
READERS = [f"reader{number}@example.org" for number in range(20)]


@app.get("/newsletter")
async def newsletter() -> dict[str, int]:
    for reader in READERS:
        text = MessageSchema(
            subject="News", recipients=[reader], body="All is well.", subtype=MessageType.plain
        )
        await mail.send_message(text)  # <- sends
    return {"sent": len(READERS)}


@app.get("/")
async def index() -> str:
    return "ok"
