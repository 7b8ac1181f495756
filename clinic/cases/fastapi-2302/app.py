# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
with open("export.csv", "wb") as export:
    export.writelines(b"%d;some;values\n" % number for number in range(20_000))


@app.get("/export")
def download() -> StreamingResponse:
    def rows() -> Iterator[bytes]:
        with open("export.csv", "rb") as file:
            for line in file:
                yield line  # <- yields

    return StreamingResponse(rows(), media_type="text/csv")
