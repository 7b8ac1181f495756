"""Attacks on iotrace by other users of the host, each one tried for real.

An attack is a test. It prepares what the attacker controls as that other user (attacker.py), lets
root run the installed ``iotrace`` (victim.py), asserts that the attack failed, and says in one line
what happens now::

    def test_a_module_in_the_current_directory(
        attackers_directory: Path, happens: Happens
    ) -> None:
        attacker_writes(attackers_directory / "json.py", f"open({str(mark)!r}, 'w')")
        ended = root_runs("doctor", cwd=attackers_directory)
        assert not mark.exists()
        happens("json.py in the current directory of doctor", ended.summary())

``happens(attack, now)`` may be called several times in a test. ``make attacks`` runs all attacks
and prints the table of these lines; ``make test`` runs them as well. An attack is never tried
again: one that works sometimes works. With CI=true a skipped attack is a failed one
(tests/conftest.py).

Ask for what an attack must not do, not only for an exit code: a file that was not written, code
that did not run, the time and the memory that it cost (``Ended.seconds``, ``Ended.peak_bytes``),
the trace of another process that went on.
"""
