# SPDX-License-Identifier: Apache-2.0
import os
from ftplib import FTP


def fetch(ftp: FTP, name: str) -> None:
    with open(f"fetched-{name}", "wb") as file:
        ftp.retrbinary(f"RETR {name}", file.write)  # <- fetches
    print(f"have {name}", flush=True)


ftp = FTP()
ftp.connect("127.0.97.1", int(os.environ["PORT"]))
ftp.login()
for name in ("small", "run.fastq", "small"):
    fetch(ftp, name)
