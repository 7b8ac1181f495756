# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Sink()),  # <- makes
        "127.0.0.1",
        int(os.environ["PORT"]),
    )
    await server.serve_forever()


asyncio.run(main())
