# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path


def parse_log(path):
    """The errors of a simulation's log, and the element that it reached."""
    errors = ""
    element = None
    for line in Path(path).read_text().split("\n"):
        match = re.search(r"^Starting (\S+) at s=", line)  # <- parses
        if match and not re.search(r"^M\d+#", match[1]):  # <- parses
            element = match[1]  # <- parses
        if is_ignored(line):  # <- parses
            continue
        if is_error(line):  # <- parses
            errors += line + "\n"  # <- parses
    return errors, element


def is_ignored(text):
    return re.search(r"^warn.* does not have a parameter", text, re.IGNORECASE)  # <- parses


def is_error(text):
    wrong = r"^(warn|error|wrong units|.*(is not|fails|unable to)\b|terminated by sig|unrecogn)"
    return re.search(wrong, text, re.IGNORECASE)  # <- parses
