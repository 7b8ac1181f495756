import bcrypt
from fastapi import FastAPI

app = FastAPI()
STORED = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(12))


@app.get("/login")
async def login():
    return {"ok": bcrypt.checkpw(b"battery staple", STORED)}  # <- cause


@app.get("/livez")
async def livez():
    return {"ok": True}
