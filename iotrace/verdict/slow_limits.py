# SPDX-License-Identifier: Apache-2.0
"""From when on a request is slow, for all rules that are about slow requests.

By what people put up with, for nobody has told the program's own limit. The surer it is that a
wait is the program's fault, the shorter are those that are told.
"""

from __future__ import annotations

NOTICED_NS = 100_000_000
"""Up to here an answer is felt to be at once (Nielsen, Usability Engineering, 1993, 5.5): for
requests that do nothing but compute, or wait for the program's own locks and time-outs."""
LATE_NS = 250_000_000
"""People visit a site less often that is slower than another by more than this (H. Shum of
Microsoft; S. Lohr, The New York Times, 29 February 2012): for requests that are seen to wait for a
thread, a service, a child process or a sleep, and for those that no rule explains."""
SLOW_NS = 500_000_000
"""Half a second more cost a search engine a fifth of its visitors (M. Mayer, Web 2.0 Summit, 2006):
for requests that may be meant to wait, for news or an event."""
