import logging

from fastapi import FastAPI
from rich.console import Console
from rich.logging import RichHandler

app = FastAPI()
console = Console(file=open("access.log", "w"), width=120)
access = logging.getLogger("uvicorn.access")
access.handlers = [RichHandler(console=console)]
access.setLevel(logging.INFO)
access.propagate = False


@app.get("/sample")
async def sample():
    return {"tokens": [1, 2, 3]}
