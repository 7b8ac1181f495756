"""From inodes to addresses, in files as kernels write them and on open sockets."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs import unix_diag
from iotrace.procfs.descriptors import read_descriptors
from iotrace.procfs.net_tables import Socket, parse_inet, parse_unix
from iotrace.procfs.sockets import read_sockets
from iotrace.procfs.unix_diag import UnixEntry, parse_answer, sockets_of

from . import samples
from .answers import DONE, answer, entry, error_message

OPEN_ALL = """
import tempfile
kept = []

def tell(name, sock):
    kept.append(sock)
    said[name] = {"fd": sock.fileno(), "inode": os.fstat(sock.fileno()).st_ino}
    return sock

def listener(name, family, address):
    server = tell(name, socket.socket(family))
    if address[0] == "::":
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(address)
    server.listen(11)
    said[name]["port"] = server.getsockname()[1]
    return server

def connect(name, server, family, address):
    client = tell(name, socket.socket(family))
    client.connect(address)
    said[name]["port"] = client.getsockname()[1] if family != socket.AF_UNIX else 0
    return client, tell(name + " accepted", server.accept()[0])

server = listener("tcp", socket.AF_INET, ("127.0.0.1", 0))
client, _ = connect("tcp client", server, socket.AF_INET, server.getsockname())
client.sendall(b"x" * 211)
pending = [tell(f"pending {n}", socket.create_connection(server.getsockname())) for n in range(3)]
udp = tell("udp", socket.socket(type=socket.SOCK_DGRAM))
udp.bind(("127.0.0.1", 0))
said["udp"]["port"] = udp.getsockname()[1]
udp.connect(("127.0.0.1", 9))
tell("unbound", socket.socket())
if socket.has_dualstack_ipv6():
    server = listener("tcp6", socket.AF_INET6, ("::1", 0))
    connect("tcp6 client", server, socket.AF_INET6, server.getsockname())
    server = listener("dual", socket.AF_INET6, ("::", 0))
    connect("mapped", server, socket.AF_INET, ("127.0.0.1", said["dual"]["port"]))
    udp = tell("udp6", socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    udp.bind(("::1", 0))
    said["udp6"]["port"] = udp.getsockname()[1]
directory = tempfile.TemporaryDirectory()
said["path"] = directory.name + "/a b.sock"
server = tell("path server", socket.socket(socket.AF_UNIX))
server.bind(said["path"])
server.listen()
client, _ = connect("path client", server, socket.AF_UNIX, said["path"])
client.sendall(b"x" * 307)
server = tell("abstract server", socket.socket(socket.AF_UNIX))
server.bind(f"\\0iotrace\\0{os.getpid()}")
server.listen()
a, b = socket.socketpair()
tell("pair a", a), tell("pair b", b)
"""


def test_a_tcp_table() -> None:
    sockets = parse_inet(samples.TCP, "tcp", socket.AF_INET)
    assert sockets == {
        1526: Socket(
            inode=1526,
            kind="tcp",
            family=socket.AF_INET,
            local="0.0.0.0:8000",
            peer="",
            state="listen",
            unread_bytes=None,
            unsent_bytes=None,
            pending=3,
        ),
        1528: Socket(
            inode=1528,
            kind="tcp",
            family=socket.AF_INET,
            local="127.0.0.1:8000",
            peer="127.0.0.1:60482",
            state="established",
            unread_bytes=0x25,
            unsent_bytes=0x11,
        ),
    }
    assert list(parse_inet(samples.TCP, "tcp", socket.AF_INET, wanted={1528, 7})) == [1528]


def test_a_tcp6_table() -> None:
    sockets = parse_inet(samples.TCP6, "tcp", socket.AF_INET6)
    assert [(one.local, one.peer, one.state) for one in sockets.values()] == [
        ("[::1]:8001", "", "listen"),
        ("127.0.0.1:8002", "127.0.0.1:40001", "close_wait"),
    ]


def test_a_udp_table() -> None:
    (found,) = parse_inet(samples.UDP, "udp", socket.AF_INET).values()
    assert (found.kind, found.local, found.peer, found.state) == (
        "udp",
        "127.0.0.1:53",
        "",
        "close",
    )
    assert (found.unread_bytes, found.unsent_bytes, found.pending) == (0x300, 0, None)
    assert found.dropped == 17


def test_lines_of_no_socket_are_skipped() -> None:
    table = samples.TCP.replace(b"0100007F:1F40", b"01007F:1F40")
    assert list(parse_inet(table, "tcp", socket.AF_INET)) == [1526]


def test_a_unix_table() -> None:
    sockets = parse_unix(samples.UNIX)
    assert [(one.inode, one.local, one.state) for one in sockets.values()] == [
        (69046, "", "established"),
        (69044, "unix:/tmp/a b5605", "listen"),
        (685, "unix:@598e5", "close"),
    ]
    assert list(parse_unix(samples.UNIX, wanted={685})) == [685]


def test_a_diagnostics_answer() -> None:
    datagram = answer(
        entry(7, state=10, name=b"/x", queues=(2, 128)),
        entry(11, state=1, name=b"/x", peer=13, queues=(101, 0)),
        entry(13, state=1, peer=11),
        entry(17, state=1, peer=0),
        entry(19, state=99),
    )
    entries, done = parse_answer(datagram)
    assert not done
    assert entries[1] == UnixEntry(11, 1, b"/x", 13, 101, 0)
    sockets = sockets_of(entries)
    rows = [
        (one.local, one.peer, one.state, one.unread_bytes, one.pending, one.peer_inode)
        for one in sockets.values()
    ]
    assert rows == [
        ("unix:/x", "", "listen", None, 2, None),
        ("unix:/x", "", "established", 101, None, 13),
        ("", "unix:/x", "established", None, None, 11),
        ("", "", "established", None, None, None),
        ("", "", "unknown", None, None, None),
    ]
    assert list(sockets_of(entries, wanted={13})) == [13]


def test_the_end_of_a_diagnostics_answer() -> None:
    assert parse_answer(answer(entry(7, state=1)) + DONE) == (
        [UnixEntry(7, 1, b"", None, None, None)],
        True,
    )
    assert parse_answer(b"") == ([], False)


def test_the_kernel_refuses_diagnostics() -> None:
    with pytest.raises(OSError, match="diagnostics failed") as raised:
        parse_answer(error_message(2))
    assert raised.value.errno == 2


@pytest.mark.parametrize(
    "damaged",
    [
        answer(entry(7, state=1))[:20],
        struct.pack("=IHHII", 4, 20, 0, 0, 0),
        answer(entry(7, state=1) + struct.pack("=HH", 2, 0)),
        answer(entry(7, state=1) + struct.pack("=HH", 6, 2) + b"\0\0"),
        b"\0",
    ],
)
def test_a_damaged_diagnostics_answer(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"truncated|shorter"):
        parse_answer(damaged)


def test_open_sockets_of_every_family(spawn) -> None:
    child = spawn(OPEN_ALL)
    path = f"unix:{child.said.pop('path')}"
    inodes = {name: facts["inode"] for name, facts in child.said.items()}
    ports = {name: facts.get("port") for name, facts in child.said.items()}
    sockets = read_sockets(child.pid, inodes.values())
    found = {
        name: (sockets[inode].local, sockets[inode].peer, sockets[inode].state)
        for name, inode in inodes.items()
        if inode in sockets and not name.startswith("pending")
    }

    def at(host: str, name: str) -> str:
        return f"{host}:{ports[name]}"

    def connection(name: str, host: str, server: str) -> dict[str, tuple[str, str, str]]:
        client_end, server_end = at(host, name), at(host, server)
        return {
            name: (client_end, server_end, "established"),
            f"{name} accepted": (server_end, client_end, "established"),
        }

    expected = {
        "tcp": (at("127.0.0.1", "tcp"), "", "listen"),
        "udp": (at("127.0.0.1", "udp"), "127.0.0.1:9", "established"),
        "path server": (path, "", "listen"),
        "path client": ("", path, "established"),
        "path client accepted": (path, "", "established"),
        "abstract server": (f"unix:@iotrace@{child.pid}", "", "listen"),
        "pair a": ("", "", "established"),
        "pair b": ("", "", "established"),
    } | connection("tcp client", "127.0.0.1", "tcp")
    if "tcp6" in child.said:
        expected |= {
            "tcp6": (at("[::1]", "tcp6"), "", "listen"),
            "dual": (at("[::]", "dual"), "", "listen"),
            "udp6": (at("[::1]", "udp6"), "", "close"),
        }
        expected |= connection("tcp6 client", "[::1]", "tcp6")
        expected |= connection("mapped", "127.0.0.1", "dual")
    assert found == expected
    descriptors = read_descriptors(child.pid)
    for name in found:
        descriptor = descriptors[child.said[name]["fd"]]
        assert (descriptor.inode, descriptor.kind) == (inodes[name], sockets[inodes[name]].kind)


def test_what_waits_in_open_sockets(spawn) -> None:
    child = spawn(OPEN_ALL)
    del child.said["path"]
    inodes = {name: facts["inode"] for name, facts in child.said.items()}
    sockets = read_sockets(child.pid)
    assert sockets[inodes["tcp client accepted"]].unread_bytes == 211
    assert sockets[inodes["path client accepted"]].unread_bytes == 307
    assert sockets[inodes["pair a"]].unread_bytes == 0
    assert sockets[inodes["tcp"]].pending == 3
    assert sockets[inodes["tcp"]].unread_bytes is None
    assert sockets[inodes["pair a"]].peer_inode == inodes["pair b"]


def test_without_diagnostics_unix_sockets_have_no_peers(spawn, monkeypatch) -> None:
    child = spawn(OPEN_ALL)
    path = f"unix:{child.said.pop('path')}"
    inodes = {name: facts["inode"] for name, facts in child.said.items()}
    monkeypatch.setattr(unix_diag, "_NETLINK_SOCK_DIAG", 31)
    sockets = read_sockets(child.pid, inodes.values())
    client, accepted = (sockets[inodes[name]] for name in ("path client", "path client accepted"))
    assert (client.local, client.peer, client.state) == ("", "", "established")
    assert (accepted.local, accepted.peer, accepted.unread_bytes) == (path, "", None)
    assert sockets[inodes["abstract server"]].local == f"unix:@iotrace@{child.pid}"
    assert sockets[inodes["path server"]].state == "listen"


def test_the_tables_are_those_of_the_target_and_may_lack_ipv6(tree) -> None:
    root = tree(
        {
            "7/net/tcp": samples.TCP,
            "7/net/udp": samples.UDP,
            "7/net/unix": samples.UNIX,
            "7/ns/net": "../../self/ns/net",
            "self/ns/net": b"",
        }
    )
    assert sorted(read_sockets(7, root=root)) == [685, 1526, 1528, 3001, 69044, 69046]
    assert sorted(read_sockets(7, [685, 3001], root=root)) == [685, 3001]


def test_tables_after_the_last_wanted_one_are_not_read(tree) -> None:
    root = tree({"7/net/tcp": samples.TCP})
    assert list(read_sockets(7, [1526], root=root)) == [1526]
    assert read_sockets(7, [], root=root) == {}


def test_a_process_that_is_gone(tree) -> None:
    with pytest.raises(NoSuchProcess):
        read_sockets(7, root=tree({"1/stat": b""}))


def test_our_own_sockets_by_descriptor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        inode = os.fstat(server.fileno()).st_ino
        found = read_sockets(os.getpid(), [inode])[inode]
        assert found.local == f"127.0.0.1:{server.getsockname()[1]}"
