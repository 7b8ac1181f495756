# SPDX-License-Identifier: Apache-2.0
"""Calls on files that another program has to allow: an antivirus, with fanotify(7)."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Call
from iotrace.report.stacks import InCall
from iotrace.verdict.process_profile import ProcessProfile

ADVICE = (
    "A program on this host has asked the kernel to be asked about each access to these files "
    "(fanotify: an antivirus, an audit or endpoint protection program), and answers slowly, most "
    "often one access at a time; the disk is not what is slow. Leave the directory out there "
    "(exclusions), or open fewer files: keep them open, pack many into one (tar, zip, LMDB, HDF5, "
    "Parquet). More workers only wait in the same line."
)


def allowed_by(call: Call, profile: ProcessProfile) -> tuple[str, ...]:
    """ "902 clamonacc" for who has to allow such calls: threads were in some at the end, and each
    waited for that; (): nothing tells of it."""
    waits = list(_in_such(call, profile))
    if not waits or not all(one.allowed_by for one in waits):
        return ()
    return waits[0].allowed_by


def title_of(deciders: tuple[str, ...], call: str, at: str) -> str:
    who = ", ".join(f"process {one}" for one in deciders)
    return (
        f"Files are opened only when another program allows it: {call}{at} waits for {who} "
        "(fanotify: an antivirus or the like)"
    )


def _in_such(call: Call, profile: ProcessProfile) -> Iterator[InCall]:
    for row in profile.process.threads:
        one = row.in_call
        if one is not None and (one.syscall, one.kind) == (call.syscall, call.kind):
            yield one
