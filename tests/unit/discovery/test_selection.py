"""Selectors against a made-up host."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from iotrace.discovery.selection import Finder
from iotrace.discovery.selectors import (
    AllPython,
    ByCgroup,
    ByContainer,
    ByName,
    ByPod,
    ByPort,
    ByUnit,
    Selector,
)
from iotrace.errors import NoSuchProcess, UsageError
from tests.unit.discovery.made_host import MadeHost, Reader

WEB_ID, DB_ID = "ab12" + 60 * "0", "ab34" + 60 * "f"
SYSTEM = "0::/system.slice/web.service"
IN_DOCKER = "0::/system.slice/docker-{}.scope"


@pytest.fixture
def host(tmp_path: Path) -> MadeHost:
    return MadeHost(tmp_path)


def _finder(host: MadeHost, *selectors: Selector, reader: Any = None) -> Finder:
    return Finder(selectors, reader or Reader({}), root=str(host.proc), host=f"{host.root}")


def test_a_prefork_server_is_its_parent(host: MadeHost) -> None:
    host.process(10)
    host.process(11, 10)
    host.process(12, 10)
    host.process(20)
    for pid in (10, 11, 12):
        host.listen(pid, 8000, inode=5)
    host.listen(20, 9000, inode=6)
    assert _finder(host, ByPort(8000)).find_unambiguous() == {10}


def test_servers_that_share_a_port_without_a_common_parent_are_all_meant(host: MadeHost) -> None:
    for pid in (10, 20):
        host.process(pid)
        host.listen(pid, 8000, inode=5)
    assert _finder(host, ByPort(8000)).find_unambiguous() == {10, 20}


def test_the_same_port_in_two_network_namespaces_is_ambiguous(host: MadeHost) -> None:
    for pid, network in ((10, "one"), (20, "other")):
        host.process(pid, network=network)
        host.listen(pid, 8000, inode=5)
    finder = _finder(host, ByPort(8000))
    with pytest.raises(UsageError, match=r"10 \(python3\).*20 \(python3\)") as error:
        finder.find_unambiguous()
    assert error.value.paste == "sudo iotrace attach 10"
    assert finder.find() == {10, 20}


def test_a_connection_to_the_port_is_no_listener(host: MadeHost) -> None:
    host.process(10)
    host.process(11)
    host.listen(10, 8000, inode=5)
    host.listen(11, 8000, inode=5, holds=False)
    assert _finder(host, ByPort(8000)).find_unambiguous() == {10}


def test_a_unit_has_its_suffix_added_and_holds_what_is_in_its_groups(host: MadeHost) -> None:
    host.process(10, cgroup=SYSTEM)
    host.process(11, cgroup=f"{SYSTEM}/worker")
    host.process(12, cgroup="0::/system.slice/web.service-other")
    assert _finder(host, ByUnit("web")).find_unambiguous() == {10, 11}
    assert _finder(host, ByUnit("system.slice")).find_unambiguous() == {10, 11, 12}


def test_a_unit_of_the_system_and_one_of_a_user_are_two(host: MadeHost) -> None:
    host.process(10, cgroup=SYSTEM)
    host.process(
        11, cgroup="0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service"
    )
    with pytest.raises(UsageError, match=re.escape("unit /system.slice/web.service: 10")):
        _finder(host, ByUnit("web")).find_unambiguous()


def test_a_control_group_holds_those_below_it(host: MadeHost) -> None:
    host.process(10, cgroup="4:memory:/\n2:cpu,cpuacct:/pods/a")
    host.process(11, cgroup="2:cpu,cpuacct:/pods/a/b")
    host.process(12, cgroup="2:cpu,cpuacct:/pods/ab")
    for path in ("/pods/a", "pods/a/"):
        assert _finder(host, ByCgroup(path)).find_unambiguous() == {10, 11}


def test_a_container_goes_by_its_name_its_id_or_the_beginning_of_that(host: MadeHost) -> None:
    host.process(10, cgroup=IN_DOCKER.format(WEB_ID))
    host.process(11, 10, cgroup=IN_DOCKER.format(WEB_ID))
    host.process(20, cgroup=f"3:cpu:/kubepods/pod1/{DB_ID}")
    host.file(f"var/lib/docker/containers/{WEB_ID}/config.v2.json", {"ID": WEB_ID, "Name": "/web"})
    for name in ("web", WEB_ID, "ab12"):
        assert _finder(host, ByContainer(name)).find_unambiguous() == {10}
    assert _finder(host, ByContainer("ab34")).find_unambiguous() == {20}
    with pytest.raises(NoSuchProcess, match="--container ab1 finds no process"):
        _finder(host, ByContainer("ab1")).find_unambiguous()


def test_two_containers_that_an_id_begins_are_ambiguous(host: MadeHost) -> None:
    one, other = "abcd" + 60 * "1", "abcd" + 60 * "2"
    host.process(10, cgroup=IN_DOCKER.format(one))
    host.process(20, cgroup=IN_DOCKER.format(other))
    with pytest.raises(UsageError, match="container abcd11111111: 10"):
        _finder(host, ByContainer("abcd")).find_unambiguous()


def test_a_pod_is_all_of_its_containers(host: MadeHost) -> None:
    host.process(10, cgroup=f"0::/kubepods/burstable/pod1/{WEB_ID}")
    host.process(20, cgroup=f"0::/kubepods/burstable/pod1/{DB_ID}")
    host.process(30, cgroup=IN_DOCKER.format("ee" + 62 * "0"))
    task = "run/containerd/io.containerd.runtime.v2.task/k8s.io"
    for container_id in (WEB_ID, DB_ID):
        annotations = {
            "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.sandbox-name": "web-7d4f",
            "io.kubernetes.cri.container-name": "app",
        }
        host.file(f"{task}/{container_id}/config.json", {"annotations": annotations})
    assert _finder(host, ByPod("shop", "web-7d4f")).find_unambiguous() == {10, 20}
    assert _finder(host, ByContainer("app")).find() == {10, 20}


def test_a_name_is_looked_for_in_the_command_line_too(host: MadeHost) -> None:
    host.process(10, name="gunicorn")
    host.process(11)
    host.process(12)
    reader = Reader({11: "python3 -m shop.server", 12: "python3 -m other"})
    finder = _finder(host, ByName(re.compile("gunicorn|shop")), reader=reader)
    assert finder.find_unambiguous() == {10, 11}


def test_what_is_known_is_not_asked_again_until_another_has_the_number(host: MadeHost) -> None:
    host.process(10)
    reader = Reader({}, pythons=(10,))
    finder = _finder(host, AllPython(), reader=reader)
    assert finder.find() == finder.find() == {10}
    assert reader.asked == [("python", 10)]
    host.process(10, start_ticks=8)
    finder.find()
    assert reader.asked == [("python", 10)] * 2


def test_kernel_threads_and_the_tracer_with_all_around_it_are_never_meant(host: MadeHost) -> None:
    ours = os.getpid()
    host.process(2, 0, kernel_thread=True)
    host.process(5)
    host.process(ours, 5)
    host.process(ours + 1, ours)
    host.process(ours + 2, ours + 1)
    host.process(6, 5)
    everyone = {2, 5, 6, ours, ours + 1, ours + 2}
    reader = Reader({}, pythons=tuple(everyone))
    assert _finder(host, AllPython(), reader=reader).find() == {6}


def test_several_selectors_add_up_and_children_of_others_go(host: MadeHost) -> None:
    host.process(10, cgroup=SYSTEM)
    host.process(11, 10)
    host.process(20)
    for pid in (11, 20):
        host.listen(pid, 8000, inode=5)
    host.listen(10, 8000, inode=5, holds=False)
    assert _finder(host, ByUnit("web"), ByPort(8000)).find_unambiguous() == {10, 20}


@pytest.mark.parametrize(
    "selector",
    [ByPort(1), ByUnit("x"), ByCgroup("/x"), ByContainer("abcd"), ByPod("a", "b"), AllPython()],
    ids=str,
)
def test_what_finds_nothing_says_so_and_what_to_paste(host: MadeHost, selector: Selector) -> None:
    host.process(10)
    host.listen(10, 2, inode=5)
    with pytest.raises(NoSuchProcess) as error:
        _finder(host, selector).find_unambiguous()
    assert str(selector) in error.value.what
    assert error.value.why
    assert error.value.paste


def test_damaged_files_of_a_runtime_name_nothing(host: MadeHost) -> None:
    host.process(10, cgroup=IN_DOCKER.format(WEB_ID))
    storage = "var/lib/containers/storage/overlay-containers/containers.json"
    for content in ({}, [1, None, {"id": 3, "names": [4]}], "x", {"Config": {"Labels": []}}):
        host.file(storage, content)
        host.file(f"var/lib/docker/containers/{WEB_ID}/config.v2.json", content)
        assert _finder(host, ByContainer(WEB_ID)).find() == {10}
