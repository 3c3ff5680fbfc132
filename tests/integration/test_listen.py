#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This tells where the gateway listens: IPv4, IPv6, UNIX sockets, several
at once."""
import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

from kit import (Gateway, Wire, each, equal, expect, free_port, like, main,
                 needs, refusal, test)


def listening(*addresses):
    return {"server": {"listen": list(addresses)}}


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def healthy(url):
    with Wire(url) as wire:
        equal(f"status at {url}", wire.ask("GET", "/healthz").status, 200)


@test
def test_ipv4_address_is_served():
    with Gateway(listening("127.0.0.3:0")) as gateway:
        like("address", gateway.url, r"\Ahttp://127\.0\.0\.3:\d+\Z")
        healthy(gateway.url)


@test
def test_all_ipv4_addresses_are_served():
    with Gateway(listening("0.0.0.0:0")) as gateway:
        port = gateway.url.rpartition(":")[2]
        healthy(f"http://127.0.0.1:{port}")
        healthy(f"http://127.0.0.9:{port}")


@test
def test_ipv6_address_is_served():
    needs(has_ipv6(), "no IPv6")
    with Gateway(listening("[::1]:0")) as gateway:
        like("address", gateway.url, r"\Ahttp://\[::1\]:\d+\Z")
        healthy(gateway.url)


@test
def test_ipv6_host_is_in_the_link():
    needs(has_ipv6(), "no IPv6")
    with Gateway(listening("[::1]:0")) as gateway:
        host = gateway.url.removeprefix("http://")
        key = gateway.upload()["key"]
        with gateway.wire() as wire:
            wire.send(b"POST /files/presign HTTP/1.1\r\nHost: %s\r\nContent-"
                      b"Type: application/json\r\nContent-Length: %d\r\n\r\n"
                      b'{"key": "%s"}' % (host.encode(), len(key) + 11,
                                          key.encode()))
            url = wire.answer().json["url"]
        expect(url.startswith(f"{gateway.url}/"), f"the link is {url}")


@test
def test_all_ipv6_addresses_and_all_ipv4_ones_share_a_port():
    needs(has_ipv6(), "no IPv6")
    port = free_port()
    with Gateway(listening(f"0.0.0.0:{port}", f"[::]:{port}")):
        healthy(f"http://127.0.0.1:{port}")
        healthy(f"http://[::1]:{port}")


def has_localhost():
    try:
        return socket.getaddrinfo("localhost", 0, proto=socket.IPPROTO_TCP)
    except OSError:
        return False


@test
def test_name_is_looked_up():
    needs(has_localhost(), "nothing here resolves localhost (/etc/hosts)")
    with Gateway(listening("localhost:0")) as gateway:
        healthy(gateway.url)


@test
def test_unix_socket_is_served():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.sock")
        with Gateway(listening(f"unix:{path}")) as gateway:
            expect(stat.S_ISSOCK(path.lstat().st_mode), "no socket is there")
            healthy(f"unix:{path}")
            gateway.url = f"unix:{path}"
            got = gateway.upload(b"over there")
            equal("object", gateway.download(got["key"]).body, b"over there")
        expect(not path.exists(), "the socket is still there at the end")


@each({mode: mode for mode in ("0600", "0660", "0666", "770")})
def test_unix_socket_has_its_mode(mode):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.sock")
        sections = listening(f"unix:{path}")
        sections["server"]["socket_mode"] = mode
        with Gateway(sections):
            equal("mode", stat.S_IMODE(path.stat().st_mode), int(mode, 8))
            healthy(f"unix:{path}")


@test
def test_unix_socket_that_only_its_user_may_use_keeps_others_out():
    needs(os.geteuid() == 0, "no root, who may become another user")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "s.sock")
        sections = listening(f"unix:{path}")
        sections["server"]["socket_mode"] = "0600"
        with Gateway(sections):
            child = os.fork()
            if child == 0:
                os.setuid(65534)
                with socket.socket(socket.AF_UNIX) as stranger:
                    os._exit(stranger.connect_ex(str(path)))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            equal("errno of a stranger", status, errno.EACCES)


@test
def test_unix_socket_left_behind_is_replaced():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.sock")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        with Gateway(listening(f"unix:{path}")):
            healthy(f"unix:{path}")


@test
def test_unix_socket_of_somebody_alive_is_left_alone():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.sock")
        with Gateway(listening(f"unix:{path}")):
            refusal(listening(f"unix:{path}"), r"s\.sock")
            healthy(f"unix:{path}")


@test
def test_file_in_the_place_of_a_unix_socket_is_left_alone():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.sock")
        path.write_text("dear")
        refusal(listening(f"unix:{path}"), r"s\.sock")
        equal("the file", path.read_text(), "dear")


@test
def test_unix_socket_in_no_folder_is_refused():
    refusal(listening("unix:/nonexistent/s.sock"), "/nonexistent/s.sock")


@test
def test_unix_socket_with_a_path_too_long_is_refused():
    refusal(listening(f"unix:/tmp/{'x' * 200}"), "xxx")


@test
def test_several_listeners_are_all_served():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s.sock")
        with Gateway(listening("127.0.0.1:0", "127.0.0.2:0",
                               f"unix:{path}")) as gateway:
            equal("listeners", len(gateway.urls), 3)
            for url in gateway.urls[:2]:
                healthy(url)
            healthy(f"unix:{path}")
            key = gateway.upload()["key"]
            gateway.url = gateway.urls[1]
            equal("object at another", gateway.download(key).body, b"hello")


@test
def test_many_connections_reach_every_worker():
    """Whatever loop a connection falls to, it serves."""
    with Gateway({"server": {"workers": "4"}}) as gateway:
        wires = [gateway.wire() for _ in range(64)]
        for wire in wires:
            equal("status", wire.ask("GET", "/healthz").status, 200)
        for wire in wires:
            equal("status", wire.ask("GET", "/files").status, 200)
            wire.close()


if __name__ == "__main__":
    main()
