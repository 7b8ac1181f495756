# SPDX-License-Identifier: Apache-2.0
"""What a compile worker answers: an image, or an error in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iotrace import errors
from iotrace.errors import IotraceError

if TYPE_CHECKING:
    from iotrace.engine.image import Image

_IMAGE, _ERROR = b"I", b"E"
KILLED = 128
"""Exit code of a worker of which a child was ended by a signal, less the signal's number."""


def image_answer(image: Image) -> bytes:
    """For a pipe."""
    return _IMAGE + image.to_bytes()


def error_answer(error: BaseException) -> bytes:
    """The same of an error; one that is not of the family is said to be unexpected."""
    import json

    if isinstance(error, IotraceError):
        words = (type(error).__name__, error.what, error.why, error.paste)
    else:
        words = (
            IotraceError.__name__,
            "Compiling the probes failed unexpectedly.",
            f"{type(error).__name__}: {error}",
            "iotrace doctor",
        )
    return _ERROR + json.dumps(words).encode()


def read_answer(answer: bytes) -> Image | IotraceError:
    """The image or the error. ``answer`` is not empty."""
    import json

    from iotrace.engine.image import Image

    if answer[:1] == _IMAGE:
        return Image.from_bytes(answer[1:])
    name, what, why, paste = json.loads(answer[1:])
    kind: type[IotraceError] = getattr(errors, name, IotraceError)
    return kind(what, why=why, paste=paste)
