# SPDX-License-Identifier: Apache-2.0
import os
import sys

import boto3  # <- starts

s3 = boto3.resource(  # <- starts
    "s3",
    endpoint_url=f"http://127.0.0.1:{os.environ['PORT']}",
    region_name="eu-west-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
)
with open(sys.argv[1], "rb") as file:
    s3.Object("logs", sys.argv[1]).put(Body=file)
