# SPDX-License-Identifier: Apache-2.0
"""server.py PORT: an SFTP server for files in the current directory."""

import asyncio
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


async def main():
    keys = [asyncssh.generate_private_key("ssh-rsa")]
    await asyncssh.listen(
        "127.0.0.1",
        int(sys.argv[1]),
        server_factory=Server,
        server_host_keys=keys,
        sftp_factory=True,
    )
    await asyncio.Event().wait()


asyncio.run(main())
