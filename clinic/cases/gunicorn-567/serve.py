# SPDX-License-Identifier: Apache-2.0
"""gunicorn of that time, which calls a function that Python 3.11 has no more."""

import inspect
import sys

inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]

from gunicorn.app.wsgiapp import run

sys.argv[0] = "gunicorn"
run()
