#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same gateway behind TLS."""
import contextlib
import socket
import ssl
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import (FORM, GIB, KIB, MIB, PATIENCE, SLOWNESS, Mismatch, each,
                 equal, eventually, expect, field, file, form, head, like,
                 main, md5, request, test)
from tlskit import Secure

DATA = bytes(range(256)) * (24 * KIB)
SMALL = form(field("prefix", "t"), file(b"small"))


@test
def test_address_is_said_with_https():
    with Secure() as gateway:
        like("address", gateway.url, r"\Ahttps://127\.0\.0\.1:\d+\Z")


@each({"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3})
def test_version_is_spoken(version):
    with Secure() as gateway:
        gateway.trust.minimum_version = version
        gateway.trust.maximum_version = version
        with gateway.wire() as wire:
            equal("version", wire.socket.version(),
                  version.name.replace("_", "."))
            equal("status", wire.ask("GET", "/healthz").status, 200)


@each({"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3})
def test_client_that_sends_200_mib_first_reads_its_413(version):
    """The gateway's last word, close_notify, doesn't break its sending."""
    size = 200 * MIB
    with Secure() as gateway:
        gateway.trust.minimum_version = version
        gateway.trust.maximum_version = version
        with gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM, f"Content-Length: {size}"))
            try:
                for _ in range(200):
                    wire.socket.sendall(b"x" * MIB)
            except (OSError, ssl.SSLError) as broken:
                raise Mismatch(f"{broken} while the client sends") from None
            equal("status", wire.answer().status, 413)
            wire.ended()


class Records:
    """A client that sees its records of TLS, too."""

    def __init__(self, gateway):
        host, port = gateway.place.rsplit(":", 1)
        self.plain = socket.create_connection((host, int(port)))
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = gateway.trust.wrap_bio(self.came, self.goes,
                                          server_hostname="localhost")
        self.records = []
        self.do(self.tls.do_handshake)

    def record(self):
        head = self.plain.recv(5, socket.MSG_WAITALL)
        body = self.plain.recv(int.from_bytes(head[3:], "big"),
                               socket.MSG_WAITALL)
        self.records.append(len(body))
        self.came.write(head + body)

    def do(self, call, *args):
        while True:
            try:
                return call(*args)
            except ssl.SSLWantReadError:
                self.plain.sendall(self.goes.read())
                self.record()
            finally:
                self.plain.sendall(self.goes.read())

    def sealed(self, data):
        """Its records, which are sent by whoever wants to."""
        self.tls.write(data)
        return self.goes.read()

    def sizes(self, asked, size):
        """Of the records of an answer whose body has so many bytes."""
        self.do(self.tls.write, asked)
        got = self.do(self.tls.read, 1)  # tickets are before it
        begin = len(self.records) - 1
        while len(got) < got.find(b"\r\n\r\n") + 4 + size:
            got += self.do(self.tls.read, 65536)
        return self.records[begin:]


@each({"small": (4 * KIB, 1), "a record and its head": (16 * KIB, 2)})
def test_head_of_an_answer_has_no_record_of_its_own(case):
    size, most = case
    with Secure() as gateway:
        key = gateway.upload(b"x" * size)["key"]
        client = Records(gateway)
        sizes = client.sizes(request("GET", f"/files/download?key={key}"),
                             size)
        client.plain.close()
    expect(len(sizes) <= most, f"records of {sizes} bytes")


@test
def test_record_that_is_none_behind_others_ends_its_connection_alone():
    """libevent tells of it before it has added the bytes before it."""
    garbage = b"\x17\x03\x03\x40\x00" + bytes(16384)
    with Secure() as gateway:
        for size in (500, 4000, 8192, 16000, 16384):
            for count in range(1, 9):
                client = Records(gateway)
                client.do(client.tls.write, request(
                    "PUT", "/files/object?key=k", f"Content-Length: {MIB}"))
                data = b"".join(client.sealed(bytes(size))
                                for _ in range(count))
                client.plain.sendall(data + garbage)
                client.plain.settimeout(PATIENCE)
                while client.plain.recv(65536):
                    pass
                client.plain.close()
        gateway.alive()


@test
def test_body_whose_end_comes_with_the_last_word_is_whole():
    with Secure() as gateway:
        for size in (1, 5000, 16384, 50_000, 90_000):
            client = Records(gateway)
            data = client.sealed(request(
                "PUT", f"/files/object?key={size}", body=bytes(size)))
            with contextlib.suppress(ssl.SSLWantReadError):
                client.tls.unwrap()
            client.plain.sendall(data + client.goes.read())
            equal(f"status of {size} bytes", client.do(client.tls.read, 12),
                  b"HTTP/1.1 201")
            client.plain.close()


@test
def test_download_goes_on_after_the_last_word():
    with Secure() as gateway:
        key = gateway.upload(bytes(8 * MIB))["key"]
        client = Records(gateway)
        client.do(client.tls.write, request(
            "GET", f"/files/download?key={key}"))
        time.sleep(0.3 * SLOWNESS)  # until nothing more fits
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.unwrap()
        client.plain.sendall(client.goes.read())
        client.plain.settimeout(PATIENCE)
        got = 0
        while data := client.plain.recv(1 << 20):
            got += len(data)
        expect(got > 8 * MIB, f"{got} bytes came")
        client.plain.close()


@each({"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1})
def test_old_version_is_refused(version):
    with Secure() as gateway:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gateway.trust.minimum_version = version
            gateway.trust.maximum_version = version
        gateway.trust.set_ciphers("ALL:@SECLEVEL=0")
        try:
            gateway.wire().close()
        except (ssl.SSLError, ConnectionResetError) as error:
            like("error", str(error), "(?i)alert|version|reset|EOF")
            return
        expect(False, f"{version.name} was accepted")


@test
def test_upload_and_download_come_through():
    with Secure() as gateway:
        got = gateway.upload(DATA)
        equal("md5 of the upload", got["md5"], md5(DATA))
        equal("md5 of the download",
              md5(gateway.download(got["key"]).body), md5(DATA))
        like("link", got["download_url"], r"\Ahttps://gateway\.test/")


@test
def test_range_and_head_come_through():
    with Secure() as gateway:
        key = gateway.upload(DATA)["key"]
        equal("range", gateway.download(
            key, "Range: bytes=65530-200000").body, DATA[65530:200001])
        equal("length", gateway.download(key, method="HEAD").header(
            "content-length"), str(len(DATA)))


@test
def test_thousand_pipelined_gets_are_answered_in_order():
    with Secure() as gateway, gateway.wire() as wire:
        wire.send(b"".join(request("GET", "/healthz", f"X-Request-Id: n{at}")
                           for at in range(1000)))
        for at in range(1000):
            equal("id", wire.answer().header("x-request-id"), f"n{at}")


@test
def test_uploads_and_gets_in_one_record_are_told_apart():
    with Secure() as gateway, gateway.wire() as wire:
        wire.send((request("POST", "/files", FORM, body=SMALL) +
                   request("GET", "/healthz")) * 3)
        equal("statuses", [wire.answer().status for _ in range(6)],
              [201, 200] * 3)


@test
def test_requests_byte_by_byte_are_answered():
    with Secure() as gateway, gateway.wire() as wire:
        for byte in request("POST", "/files", FORM, body=SMALL):
            wire.send(bytes([byte]))
        equal("status", wire.answer().status, 201)


@test
def test_slow_reader_gets_everything_and_blocks_nobody():
    with Secure({"server": {"workers": "1"}}) as gateway:
        key = gateway.upload(DATA)["key"]
        with gateway.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            gateway.alive()
            got = b""
            for _ in range(6):
                got += wire.take(len(DATA) // 6)
                gateway.alive()
            equal("md5", md5(got), md5(DATA))
            equal("next", wire.ask("GET", "/healthz").status, 200)


@test
def test_client_that_goes_on_sending_2_gib_reads_the_early_answer():
    with Secure() as gateway, gateway.wire() as wire:
        # The session tickets are read with this answer.
        equal("status", wire.ask("GET", "/healthz").status, 200)
        wire.send(head("POST", "/files", FORM,
                       f"Content-Length: {2 * GIB}"))
        sent = wire.flood(b"x" * 64 * KIB, 2 * GIB)
        equal("status", wire.answer().status, 413)
        expect(sent < GIB, f"{sent} bytes were taken")


@test
def test_answer_that_closes_ends_with_close_notify():
    """Without it the client can't tell the end from an attack."""
    with Secure() as gateway, gateway.wire() as wire:
        wire.send(head("GET", "/healthz", "Connection: close"))
        equal("status", wire.answer().status, 200)
        try:
            equal("what follows", wire.socket.recv(1), b"")
        except ssl.SSLEOFError:
            expect(False, "the connection ended without close_notify")


@each({"request": request("GET", "/healthz"), "garbage": b"\x00\xff" * 500,
       "alert": b"\x15\x03\x03\x00\x02\x02\x28",
       "half_a_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"})
def test_what_is_no_tls_does_no_harm(start):
    with Secure() as gateway:
        gateway.alive()
        for ending in ("close", "reset", "finish") * 3:
            with gateway.plain() as wire:
                wire.send(start)
                getattr(wire, ending)()
        gateway.alive()


@test
def test_plain_http_to_the_tls_port_ends_soon():
    with Secure() as gateway, gateway.plain() as wire:
        wire.send(request("GET", "/healthz"))
        while wire.more():
            pass
        expect(not wire.input.startswith(b"HTTP/1.1 200"), "it was answered")


@each({"silent": b"", "half_a_hello": b"\x16\x03\x01\x02\x00\x01"})
def test_handshake_that_does_not_come_is_given_up(start):
    with Secure({"limits": {"head_timeout": "1s"}}) as gateway:
        gateway.alive()
        base = gateway.quiet()
        with gateway.plain() as wire:
            wire.send(start)
            started = time.monotonic()
            while wire.more():
                pass
            took = time.monotonic() - started
            expect(took < 4 * SLOWNESS, f"it took {took:.1f} s")
        gateway.settles(base)


@test
def test_clients_that_leave_leave_nothing_behind():
    with Secure() as gateway:
        key = gateway.upload(DATA)["key"]
        for _ in range(8):
            gateway.download(key)
        gateway.alive()
        base = gateway.quiet()
        starts = [(b"", 0), (b"GET /", 0),
                  (request("GET", f"/files/download?key={key}"), 0),
                  (request("GET", f"/files/download?key={key}"), MIB),
                  (head("POST", "/files", FORM, "Content-Length: 900000") +
                   SMALL[:-40] + b"x" * 300_000, 0)]
        for start, count in starts * 3:
            for ending in "close", "reset", "finish":
                with gateway.wire(buffer=64 * KIB) as wire:
                    wire.send(start)
                    if count:
                        wire.take(count)
                    getattr(wire, ending)()
        eventually("connections that ended", lambda:
                   len(gateway.descriptors()) <= len(base))
        gateway.alive()


# ---- what the disk gives back ----------------------------------------------

def flip(gateway, at):
    """One bit of the only blob."""
    blob, = [path for path in Path(gateway.folder, "data").rglob("*")
             if path.is_file() and path.stat().st_size >= len(DATA)]
    with open(blob, "r+b") as file_:
        file_.seek(at)
        byte, = file_.read(1)
        file_.seek(at)
        file_.write(bytes([byte ^ 4]))


@each({"in the middle": len(DATA) // 2, "in the first byte": 0,
       "in the last": len(DATA) - 1})
def test_object_of_which_a_bit_has_flipped_does_not_come_whole(at):
    with Secure() as gateway:
        key = gateway.upload(DATA)["key"]
        flip(gateway, at)
        with gateway.wire() as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            answer = wire.head()
            equal("status", answer.status, 200)
            equal("length", answer.header("content-length"), str(len(DATA)))
            while len(wire.input) < len(DATA) and wire.more():
                pass
            expect(len(wire.input) < len(DATA), "all of it came")
        gateway.says(r"error \[main\] request \S+: the object's bytes aren't "
                     "those that were stored")


@test
def test_objects_that_are_read_at_once_come_whole():
    """Each by threads of the pool, while it is told more than once that the
    last piece went."""
    data = DATA[:4 * 65536 - 2285]
    with Secure() as gateway, ThreadPoolExecutor(32) as pool:
        keys = [gateway.upload(data)["key"] for _ in range(8)]
        bodies = pool.map(lambda key: gateway.download(key).body == data,
                          keys * 40)
        equal("are they whole", set(bodies), {True})


@test
def test_part_of_an_object_is_not_checked():
    with Secure() as gateway:
        key = gateway.upload(DATA)["key"]
        flip(gateway, 0)
        answer = gateway.download(key, f"Range: bytes=1-{len(DATA)}")
        equal("bytes", answer.body, DATA[1:])


@test
def test_objects_bytes_are_not_checked_without_verify():
    with Secure({"backends": {"main": {"verify": "false"}}}) as gateway:
        key = gateway.upload(DATA)["key"]
        flip(gateway, 0)
        equal("bytes", gateway.download(key).body, b"\4" + DATA[1:])


@each({"less than a segment": 128 * KIB - 1, "a segment": 128 * KIB,
       "more": 128 * KIB + 1})
def test_object_that_is_as_it_was_stored_comes_whole(size):
    with Secure() as gateway:
        key = gateway.upload(DATA[:size])["key"]
        equal("bytes", gateway.download(key).body, DATA[:size])


if __name__ == "__main__":
    main()
