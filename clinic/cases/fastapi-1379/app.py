# SPDX-License-Identifier: Apache-2.0
import os
import random

import aiofiles
from fastapi import FastAPI, File, UploadFile

app = FastAPI()


@app.post("/")
async def read_root(file: UploadFile = File("test")):
    path = os.path.join("storage", f"{random.randint(0, 5000)}_{file.filename}")
    async with aiofiles.open(path, "wb") as f:
        await f.write(await file.read())
    os.unlink(path)
    return {"filename": file.filename}
