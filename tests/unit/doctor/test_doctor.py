"""The doctor's answers: their words, their lines to paste, their exit code."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from iotrace.doctor import confines, examine, kernel, rights, suggested_commands, tools
from iotrace.doctor.check import Check, Status, degraded, missing, ok
from iotrace.doctor.examine import can_attach
from iotrace.doctor.render import as_json, as_table
from iotrace.privileges.capabilities import CAPABILITIES
from iotrace.procfs.cgroup_tree import CgroupMount, CgroupTree

ALL_WELL = (
    ok("BTF", "there"),
    degraded("io_uring", "off", "operations", suggested_commands.KERNEL),
)
LACKING = (*ALL_WELL, missing("bcc", "no module \x1b[2J", suggested_commands.BCC))


def held(*names: str) -> int:
    return sum(1 << CAPABILITIES[name] for name in names)


@pytest.mark.parametrize(
    ("mask", "lacking", "lesser"),
    [
        (held("CAP_SYS_ADMIN"), set(), {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}),
        (held("CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"), set(), set()),
        (held("CAP_BPF", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"), {"CAP_PERFMON"}, set()),
        (0, {"CAP_BPF", "CAP_PERFMON"}, {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}),
    ],
)
def test_each_missing_capability_is_named(mask: int, lacking: set[str], lesser: set[str]) -> None:
    answers = rights._capabilities(mask)
    assert {a.feature for a in answers if a.status is Status.MISSING} == lacking
    assert {a.feature for a in answers if a.status is Status.DEGRADED} == lesser
    assert all(
        set(a.paste) == set(suggested_commands.PLACES) for a in answers if a.status is not Status.OK
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[none] integrity confidentiality", Status.OK),
        ("none [integrity] confidentiality", Status.OK),
        ("none integrity [confidentiality]", Status.MISSING),
        ("", Status.OK),
    ],
)
def test_lockdown(tmp_path: Path, text: str, status: Status) -> None:
    (tmp_path / "lockdown").write_text(text)
    assert rights._lockdown(tmp_path / "lockdown").status is status
    assert rights._lockdown(tmp_path / "none").status is Status.OK


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("ID=debian\n", "debian"),
        ('NAME="x"\nID=ubuntu\nID_LIKE=debian\n', "ubuntu"),
        ("ID=linuxmint\nID_LIKE=ubuntu\n", "ubuntu"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=arch\n", "arch"),
        ("ID=alpine\n", "alpine"),
        ('ID=neon\nID_LIKE="ubuntu debian"\n', "ubuntu"),
        ("ID=void\n", None),
        ("", None),
    ],
)
def test_the_distribution_is_known(text: str, place: str | None) -> None:
    assert suggested_commands.parse_os_release(text) == place


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"etc/os-release": "ID=arch"}, "arch"),
        ({"usr/lib/os-release": "ID=fedora"}, "fedora"),
        ({"etc/os-release": "ID=arch", ".dockerenv": ""}, "container"),
        ({"etc/os-release": "ID=arch", "run/.containerenv": ""}, "container"),
        ({".dockerenv": "", "var/run/secrets/kubernetes.io/token": ""}, "kubernetes"),
        ({}, "debian"),
    ],
)
def test_the_place_is_known(tmp_path: Path, files: dict[str, str], place: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert suggested_commands.place(str(tmp_path)) == place


@pytest.mark.parametrize(
    "lines",
    [
        suggested_commands.PRIVILEGES,
        suggested_commands.BCC,
        suggested_commands.KERNEL,
        suggested_commands.TRACEFS,
        suggested_commands.sysctl("a=1"),
    ],
)
def test_there_is_a_line_for_every_place(lines: dict[str, str]) -> None:
    assert set(lines) == set(suggested_commands.PLACES)


@pytest.mark.parametrize("place", suggested_commands.PLACES)
def test_the_table_has_the_line_of_this_place(place: str) -> None:
    table = as_table(LACKING, place, 80)
    assert f"paste: {suggested_commands.BCC[place]}" in table
    assert "cannot attach" in table
    assert "\x1b" not in table


def test_a_line_is_to_be_pasted_once() -> None:
    first, second = (
        missing("CAP_BPF", "", suggested_commands.PRIVILEGES),
        missing("maps", "", suggested_commands.BCC),
    )
    again = degraded("ring buffer", "", "the timeline", suggested_commands.PRIVILEGES)
    table = as_table((first, second, again), "debian", 80)
    line = suggested_commands.PRIVILEGES["debian"]
    assert table.count(f"paste: {line}\n") == 1
    assert table.count("paste: as above\n") == 1
    assert table.endswith(
        f"iotrace cannot attach here. Missing: CAP_BPF, maps.\nBegin with: {line}"
    )


def test_it_is_as_wide_as_the_page_but_for_lines_to_paste() -> None:
    detail, loses = "every user's lines, " * 9, "requests and pickup, " * 7
    one = degraded("tracepoint sk_data_ready", detail, loses, suggested_commands.PRIVILEGES)
    lines = as_table((one, *LACKING), "debian", 80).splitlines()
    assert [line for line in lines if len(line) > 80] == [
        line for line in lines if len(line) > 80 and ("paste: " in line or "Begin with: " in line)
    ]
    told = " ".join(" ".join(lines).split())
    assert detail.strip() in told
    assert f"n/a: {loses.strip()}" in told


def test_what_is_lacking_is_named_at_the_end() -> None:
    assert as_table(ALL_WELL, "arch", 80).endswith("Lacking, see above: io_uring.")
    assert as_table(ALL_WELL[:1], "arch", 80).endswith("with everything.")


def test_a_useful_feature_that_is_refused_lacks_no_more_than_itself() -> None:
    from iotrace.engine.bpf_syscall import KernelRefusal

    def refuse() -> list[int]:
        raise KernelRefusal("make the table doctor", errno.EPERM)

    answer = kernel._useful("ring buffer", "made", "the timeline", refuse)
    assert (answer.status, answer.loses) == (Status.DEGRADED, "the timeline")
    assert answer.paste is suggested_commands.PRIVILEGES


def test_the_json_has_all_lines() -> None:
    told = json.loads(as_json(LACKING, "arch"))
    assert told["can_attach"] is False
    assert told["place"] == "arch"
    assert [check["status"] for check in told["checks"]] == ["ok", "degraded", "missing"]
    assert told["checks"][2]["paste"] == dict(suggested_commands.BCC)


@pytest.mark.parametrize(("checks", "code"), [(ALL_WELL, 0), (LACKING, 5)])
def test_the_exit_code_says_whether_attach_can_work(
    checks: tuple[Check, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from iotrace.cli.main import cli

    monkeypatch.setattr(examine, "examine", lambda absent: checks)
    done = CliRunner().invoke(cli, ["doctor", "-f", "json"], standalone_mode=False)
    assert done.return_value == code
    assert json.loads(done.stdout)["can_attach"] is can_attach(checks) is (code == 0)


def test_a_python_without_bcc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_IMPORT_BCC", "import no_such_module")
    answer = tools._bcc()
    assert answer.status is Status.MISSING
    assert "no_such_module" in answer.detail


def test_what_has_no_answer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from iotrace.engine.bpf_syscall import KernelRefusal

    def refuse() -> list[int]:
        raise KernelRefusal("make the table x", 1)

    answer = kernel._tried("BPF maps", "made", refuse)
    assert answer.status is Status.MISSING
    assert answer.paste is suggested_commands.PRIVILEGES


def test_io_uring_is_tried() -> None:
    assert confines._io_uring().status in (Status.OK, Status.DEGRADED)


def test_a_seccomp_filter_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "in_user_namespace", lambda: False)
    monkeypatch.setattr(rights, "is_filtered", lambda numbers: True)
    answer = rights._bpf_call()
    assert answer.status is Status.MISSING
    assert "seccomp=unconfined" in answer.paste["container"]


def test_a_rootless_container_has_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "in_user_namespace", lambda: True)
    answer = rights._bpf_call()
    assert answer.status is Status.MISSING
    assert "rootless" in answer.detail


@pytest.mark.parametrize(("overlay", "status"), [(True, Status.DEGRADED), (False, Status.OK)])
def test_a_cache_that_goes_with_the_container(
    monkeypatch: pytest.MonkeyPatch, overlay: bool, status: Status
) -> None:
    monkeypatch.setattr(tools, "obstacle", lambda: "")
    monkeypatch.setattr(tools, "on_overlay", lambda path: overlay)
    answer = tools._cache()
    assert answer.status is status
    assert not overlay or "/var/cache/iotrace" in answer.paste["container"]


def test_where_a_cache_would_be_made_is_asked(tmp_path: Path) -> None:
    assert not tools.on_overlay(Path("/proc/not/made/yet"))
    missing = tmp_path / "not" / "made" / "yet"  # the tests may run in a container
    assert tools.on_overlay(missing) == tools.on_overlay(tmp_path)


@pytest.mark.parametrize(
    ("tops", "hidden", "held", "status"),
    [
        (("/",), False, 0, Status.OK),
        (("/",), True, held("CAP_SYS_PTRACE"), Status.OK),
        (("/",), True, 0, Status.DEGRADED),
        (("/", "/pod/a"), False, 0, Status.DEGRADED),
        ((), False, held("CAP_SYS_PTRACE"), Status.OK),
    ],
)
def test_whose_limits_are_seen(
    monkeypatch: pytest.MonkeyPatch, tops: tuple[str, ...], hidden: bool, held: int, status: Status
) -> None:
    mounts = tuple(CgroupMount(frozenset({""}), top, "/sys/fs/cgroup") for top in tops)
    tree = CgroupTree(mounts, Path.read_bytes, lambda _: ())
    monkeypatch.setattr(confines, "own_tree", lambda: tree)
    monkeypatch.setattr(confines, "_hides_groups", lambda: hidden)
    monkeypatch.setattr(confines, "effective_capabilities", lambda: held)
    assert confines._control_groups().status is status
