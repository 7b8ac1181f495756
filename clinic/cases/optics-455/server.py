import asyncio
import xml.etree.ElementTree as ET

from fastapi import FastAPI

app = FastAPI()
PAGE = "<page>" + "<node class='a' x='1' y='2'><b/></node>" * 4000 + "</page>"


def interactive_elements():
    found = []
    for number in range(6):
        for node in ET.fromstring(PAGE).iter("node"):
            found.append({key.upper(): value * 2 for key, value in node.attrib.items()})  # <- cause
    return len(found)


@app.get("/keyword")
async def keyword():
    return {"found": await asyncio.to_thread(interactive_elements)}


@app.get("/health")
async def health():
    return {"ok": True}
