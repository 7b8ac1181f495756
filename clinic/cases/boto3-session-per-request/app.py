# SPDX-License-Identifier: Apache-2.0
import boto3
from flask import Flask

app = Flask(__name__)


@app.get("/")
def store() -> str:
    session = boto3.session.Session("key", "secret", region_name="eu-west-1")  # <- makes
    s3 = session.client("s3")  # <- makes
    return s3.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k"})
