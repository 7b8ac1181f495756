# SPDX-License-Identifier: Apache-2.0
"""Ten things to do, as Home Assistant stores them."""

from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.todo import Todo

calendar = Calendar()
calendar.todos.extend(Todo(summary=f"errand {number}") for number in range(10))
with open("card/local_todo.home.ics", "w") as stored:
    stored.write(IcsCalendarStream.calendar_to_ics(calendar))
