# SPDX-License-Identifier: Apache-2.0
"""A DNS server that is asked and does not answer: the resolver waits, then asks the next one."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Descriptor
from iotrace.report.stacks import Line
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import SLEEPS, Hit, Rule, covers
from iotrace.verdict.thread_activity import waits_for_one
from iotrace.verdict.told_lines import MOST
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.waiting_tasks import resolving_tasks, task_lines

DNS_PORT = ":53"
SILENT_NS = 900_000_000
"""Waited for the server, at least: the resolver gives up after 5 s, or after 1 s at the least
(resolv.conf(5), timeout)."""
MEAN_NS = 500_000_000
"""For each look-up."""
LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyaddr", "gethostbyname_ex", "getnameinfo")


def is_dns(one: Descriptor) -> bool:
    """Whether names are asked for on it."""
    return one.kind == "udp" and one.peer.endswith(DNS_PORT)


def _silent(profile: ProcessProfile) -> Iterator[Hit]:
    by_server: dict[str, list[Descriptor]] = {}
    for one in profile.process.descriptors:
        if is_dns(one):
            by_server.setdefault(one.peer, []).append(one)
    for server, rows in by_server.items():
        # The latest socket of a number names its row: a server that answers may have had it, too.
        waited = sum(one.wait_ns + one.polled_ns for one in rows)
        lookups = sum(one.opened for one in rows)
        if waited < SILENT_NS or waited < MEAN_NS * lookups:
            continue
        others = sorted(other for other in by_server if other != server)
        lines = look_ups(profile, rows)
        if not others:  # they also tell of look-ups that have not returned
            waited = max(waited, sum(one.wait_ns for one in lines))
        silent = not any(one.bytes_in for one in rows)
        slow = not silent and _all_answered(profile)
        evidence: dict[str, float | int | str] = {
            "dns_server": server,
            "lookups": lookups,
            "waited_ns": waited,
            "mean_wait_ns": waited // max(1, lookups),
        }
        if others:
            evidence["other_dns_servers"] = ", ".join(others)
        fault = "did not answer" if silent else "did not answer in time"
        if slow:
            longest = max((one.max_ns for one in lines), default=waited // max(1, lookups))
            fault = f"is slow, its answers take up to {duration(longest)}"
        yield Hit(
            evidence,
            waited,
            fd=rows[0].fd if len(rows) == 1 else None,
            lines=(
                *waiting_lines(lines, profile.process),
                *task_lines(resolving_tasks(profile)),
            )[:MOST],
            title=f"DNS server {server} {fault}: {plural(lookups, 'look-up')} waited "
            f"{duration(waited)} for it",
            advice=_SLOW if slow else "",
        )


def _all_answered(profile: ProcessProfile) -> bool:
    """Whether no wait for one descriptor ran out of time, as a resolver's does whose question is
    not answered."""
    polls = [loop for loop in profile.process.loops if waits_for_one(loop)]
    return bool(polls) and all(loop.timeouts == 0 for loop in polls)


def look_ups(profile: ProcessProfile, rows: list[Descriptor]) -> list[Line]:
    """Where names were looked up, or else what was done on these sockets."""
    named = [
        one
        for one in profile.process.lines
        if one.wait_ns and one.stack and one.stack[0].function in LOOK_UPS
    ]
    return named or list(lines_on(profile, rows))


_SLOW = (
    "Each question is answered, but late: see why that name server takes so long (the servers that "
    "it asks itself, its load), or name a quicker one in /etc/resolv.conf (in containers: the "
    "network's DNS setting). Until then: a cache on this host (systemd-resolved, dnsmasq, nscd), "
    "and connections that are kept open, so that names are looked up once."
)
SILENT = Rule(
    "IO153",
    "A DNS server does not answer",
    "Take the name server that does not answer out of /etc/resolv.conf (in containers: the "
    "network's DNS setting), or mend it; the resolver waits 5 s for it at each look-up before it "
    "asks the next. Until then: `options timeout:1 attempts:2 rotate` in resolv.conf, a cache on "
    "this host (systemd-resolved, dnsmasq, nscd), and connections that are kept open, so that "
    "names are looked up once.",
    _silent,
    explains={"IO118": covers, **SLEEPS},
    shared="dns_server",
)
