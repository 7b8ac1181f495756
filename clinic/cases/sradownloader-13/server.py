# SPDX-License-Identifier: Apache-2.0
"""server.py ADDRESS PORT: FTP, with two files: small and run.fastq."""

import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
from pyftpdlib.servers import FTPServer


class Slow(ThrottledDTPHandler):
    write_limit = 2_000_000


os.makedirs("files")
with open("files/small", "wb") as small, open("files/run.fastq", "wb") as large:
    small.write(bytes(1000))
    large.write(os.urandom(1 << 20) * 4)
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous("files")
FTPHandler.dtp_handler = Slow
FTPServer((sys.argv[1], int(sys.argv[2])), FTPHandler).serve_forever()
