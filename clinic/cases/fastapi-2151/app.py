# SPDX-License-Identifier: Apache-2.0
import io

from fastapi import FastAPI, Request, Response
from fastavro import parse_schema, reader, writer

SCORES = parse_schema(
    {
        "type": "record",
        "name": "Score",
        "fields": [{"name": "id", "type": "long"}, {"name": "score", "type": "double"}],
    }
)
app = FastAPI()


def scored(row):
    return {"id": row["id"], "score": sum(row["features"]) / len(row["features"])}


@app.post("/invocations")
async def invocations(request: Request):
    rows = list(reader(io.BytesIO(await request.body())))  # <- computes
    output = io.BytesIO()
    writer(output, SCORES, [scored(row) for row in rows])  # <- computes
    return Response(output.getvalue(), media_type="avro/binary")


@app.get("/ping")
async def ping():
    return "pong"
