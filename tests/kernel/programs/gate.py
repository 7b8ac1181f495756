"""How the programs here wait for their test: they do nothing before they are told to.

The gate uses calls that no workload uses: SIGUSR1 is taken by rt_sigtimedwait, and the end is
a pause until SIGUSR2 comes.
"""

import json
import os
import signal


def ready(**facts):
    """Say that all is set up (with facts for the test), then wait to be told to go."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    signal.signal(signal.SIGUSR2, lambda number, frame: None)
    print(json.dumps({"pid": os.getpid(), **facts}), flush=True)
    signal.sigwait({signal.SIGUSR1})


def tell(**facts):
    """More facts for the test."""
    print(json.dumps(facts), flush=True)


def finished(**results):
    """Stay, so that the test can look; when told to, hand the results over and end."""
    signal.pause()
    print(json.dumps(results), flush=True)
    os._exit(0)
