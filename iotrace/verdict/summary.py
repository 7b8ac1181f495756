"""One sentence on where a process's time goes."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.number_formats import duration, plural, possessive, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.thread_activity import Activity
from iotrace.vocabulary.waits import WAITS

MENTIONED_SHARE = 0.005
"""What took less of the time than this is left out."""
MOST_PARTS = 4


def sentence(profile: ProcessProfile) -> str:
    """ "Of its 10 s: 53 % asleep in epoll_wait with nothing ready, 31 % computing, ..."."""
    seen = profile.total
    whose = "its" if seen.threads == 1 else f"its {possessive(plural(seen.threads, 'thread'))}"
    return f"Of {whose} {duration(seen.lifetime_ns)}: {_parts(seen)}."


def sentence_of_workers(profiles: Sequence[ProcessProfile]) -> str:
    """The same for like processes together."""
    lifetime = sum(profile.total.lifetime_ns for profile in profiles)
    parts = _listed(_merged([_shares(profile.total) for profile in profiles]), lifetime)
    return f"Of its {possessive(plural(len(profiles), 'worker'))} {duration(lifetime)}: {parts}."


def _parts(seen: Activity) -> str:
    return _listed(_shares(seen), seen.lifetime_ns)


def _shares(seen: Activity) -> dict[str, int]:
    names = sorted({loop.multiplexer for loop in seen.loops if loop.wait_ns})
    multiplexer = " and ".join(names) or "poll"
    return {
        "on a CPU": seen.unsplit_cpu_ns,
        "computing": seen.user_ns,
        "in the kernel": seen.kernel_ns,
        "copying received data": seen.copy_ns,
        "ready but without a CPU": seen.runq_ns,
        **{reason.summary.format(poll=multiplexer): seen.wait_ns[reason.name] for reason in WAITS},
    }


def _merged(all_shares: Sequence[dict[str, int]]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for shares in all_shares:
        for text, ns in shares.items():
            merged[text] = merged.get(text, 0) + ns
    return merged


def _listed(shares: dict[str, int], total: int) -> str:
    large = sorted(shares.items(), key=lambda item: -item[1])
    kept = [(text, ns) for text, ns in large if ns >= MENTIONED_SHARE * total][:MOST_PARTS]
    return ", ".join(f"{share(ns, total)} {text}" for text, ns in kept) or "nothing was seen"
