# SPDX-License-Identifier: Apache-2.0
"""smtp.py PORT: a mail server that takes everything."""

import asyncio
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Taker:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"


def let_in(server, session, envelope, mechanism, data):
    return AuthResult(success=True)


async def main():
    options = {"authenticator": let_in, "auth_require_tls": False, "hostname": "mail"}
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Taker(), **options), "127.0.0.1", int(sys.argv[1]))
    await asyncio.Event().wait()


asyncio.run(main())
