"""One trace from beginning to end: attach, follow, wait, report."""
