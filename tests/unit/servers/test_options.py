"""The servers' command line."""

from __future__ import annotations

import pytest
from iotrace.servers.options import Options, milliseconds, natural, parse


def test_without_arguments_nothing_is_wrong_on_purpose() -> None:
    everything = ("--sleep-ms", "--slow-accept-ms", "--never-accept", "--no-read")
    assert parse("", (*everything, "--stop-early", "--slow-handler-ms"), []) == Options()


def test_times_are_given_in_milliseconds_and_kept_in_nanoseconds() -> None:
    variants = ("--sleep-ms", "--slow-accept-ms", "--slow-handler-ms")
    arguments = ["--sleep-ms", "0.5", "--slow-accept-ms", "7", "--slow-handler-ms", "13"]
    options = parse("", variants, arguments)
    assert options.sleep_ns == 500_000
    assert options.slow_accept_ns == 7_000_000
    assert options.slow_handler_ns == 13_000_000


@pytest.mark.parametrize(("arguments", "expected"), [([], 0), (["--stop-early"], 1024)])
def test_stop_early_has_a_size_of_its_own(arguments: list[str], expected: int) -> None:
    assert parse("", ("--stop-early",), arguments).stop_early_bytes == expected
    assert parse("", ("--stop-early",), ["--stop-early", "19"]).stop_early_bytes == 19


@pytest.mark.parametrize(
    "arguments", [["--sleep-ms", "-1"], ["--sleep-ms", "soon"], ["--never-accept"], ["stray"]]
)
def test_nonsense_ends_with_the_status_of_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse("", ("--sleep-ms",), arguments)
    assert leaving.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_conversions_refuse_what_makes_no_sense() -> None:
    assert milliseconds("1.25") == 1_250_000
    assert natural("3") == 3
    for text in ("-0.1", "nan", "x"):
        with pytest.raises(ValueError):
            milliseconds(text)
    for text in ("0", "-2", "1.5"):
        with pytest.raises(ValueError):
            natural(text)
