# SPDX-License-Identifier: Apache-2.0
import re

from flask import Flask

app = Flask(__name__)
TEXT = """export function isIconName(iconName: unknown): iconName is IconName {
  if (!iconName || typeof iconName !== 'string') {
    return false;
  }

  return iconName in availableIconsIndex;
}"""


@app.get("/search")
def search() -> str:
    return str(bool(re.search(r"(?P<body>(?:.|\s)*)(//.*END.*$)", TEXT)))  # <- searches


@app.get("/health")
def health() -> str:
    return "ok\n"
