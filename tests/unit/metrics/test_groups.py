"""What programs are called."""

from __future__ import annotations

import pytest

from iotrace.metrics.groups import program_name

NAMES = {
    "/usr/bin/python3 -m celery -A shop worker": "celery",
    "python3.12 -X dev -u /srv/shop/main.py --port 1": "shop/main.py",
    "/opt/venv/bin/python /opt/venv/bin/gunicorn app:app": "gunicorn",
    "python3 orders.py": "orders.py",
    "python3 -c pass": "python3-c",
    "/usr/sbin/uwsgi --ini x": "uwsgi",
    "pypy3 server.py": "server.py",
    "python3": "python3",
}


@pytest.mark.parametrize(("command", "name"), NAMES.items())
def test_a_program_is_called_what_it_runs(command: str, name: str) -> None:
    assert program_name(command.split(), "python3") == name


def test_a_title_counts_up_to_its_colon() -> None:
    assert program_name(("gunicorn: worker [shop]",), "gunicorn") == "gunicorn"
    assert program_name(("postgres: 15/main: checkpointer ",), "x") == "postgres"


def test_without_a_command_line_it_is_the_process_name() -> None:
    assert program_name((), "kworker/u8") == "kworker/u8"
    assert program_name((), "") == "unknown"


def test_what_a_process_chose_to_be_called_is_plain_and_short() -> None:
    name = program_name(("python3", '/x/\x1b[2J"}\n' + "a" * 5000 + ".py"), "x")
    assert name.startswith("2J_a")
    assert len(name) == 64
    assert name.isascii()
