#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How requests get in: framing on one connection, answers that come before
the body does, deadlines, and clients that leave at any moment."""
import tempfile
import time

from kit import (FORM, KIB, MIB, GIB, PATIENCE, SLOWNESS, Gateway, Mismatch,
                 among, chunked, denying, each, equal, expect, field, file,
                 form, head, large_form, main, md5, request, test)

SMALL = form(field("prefix", "t"), file(b"small"))
LIMITS = {"head_timeout": "1s", "body_timeout": "1s", "idle_timeout": "1s",
          "write_timeout": "1s"}
ROUNDS = range(5)


def stall(**options):
    """The backend that stops in the middle of things, on /stall."""
    return {"server": {"workers": "1"},
            "backends": {"stall": {"plugin": "stall", **options}},
            "routes": [{"mount": "/files", "backend": "main"},
                       {"mount": "/stall", "backend": "stall"}]}


def warm(gateway, size=1000):
    """Has everything been opened once that stays open?  The key of an object
    and the descriptors."""
    key = gateway.upload(b"x" * size)["key"]
    for _ in range(8):
        equal("status", gateway.download(key).status, 200)
        gateway.keys()
    return key, gateway.quiet()


# ---- several requests on one connection ------------------------------------

@each({"three": 3, "a_thousand": 1000})
def test_pipelined_gets_in_one_segment_are_answered_in_order(count):
    paths = ["/healthz", "/nope", "/files?prefix=none",
             "/files/download?key=none"]
    status = {"/healthz": 200, "/nope": 404, "/files?prefix=none": 200,
              "/files/download?key=none": 404}
    wanted = [(f"n{number}", paths[number % 4]) for number in range(count)]
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(b"".join(request("GET", path, f"X-Request-Id: {name}")
                           for name, path in wanted))
        for name, path in wanted:
            answer = wire.answer()
            equal("id, status", (answer.header("x-request-id"),
                                 answer.status), (name, status[path]))


def mixed(last):
    """POST, GET, POST in chunks with extension and trailer, GET."""
    pieces = chunked(SMALL, 100).replace(b"64\r\n", b'64;a="b";c\r\n')
    return (request("POST", "/files", FORM, body=SMALL) +
            request("GET", "/healthz", "X-Request-Id: one") +
            head("POST", "/files", FORM, "Transfer-Encoding: chunked") +
            pieces[:-2] + b"X-Trailer: Content-Length: 7\r\n\r\n" +
            request("GET", "/healthz", f"X-Request-Id: {last}"))


def answered_mixed(gateway, wire, last):
    answers = [wire.answer() for _ in range(4)]
    equal("statuses", [answer.status for answer in answers],
          [201, 200, 201, 200])
    equal("ids", [answers[1].header("x-request-id"),
                  answers[3].header("x-request-id")], ["one", last])
    for answer in answers[0], answers[2]:
        equal("object", gateway.download(answer.json["key"]).body, b"small")


@test
def test_uploads_and_gets_in_one_segment_are_told_apart():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(mixed("last"))
        answered_mixed(gateway, wire, "last")


@test
def test_requests_byte_by_byte_are_answered():
    with Gateway() as gateway, gateway.wire() as wire:
        for byte in mixed("slow"):
            wire.send(bytes([byte]))
        answered_mixed(gateway, wire, "slow")


@test
def test_every_cut_of_two_requests_is_understood():
    """A head may end anywhere in a segment."""
    two = (request("GET", "/healthz", "X-Request-Id: one") +
           request("GET", "/nope", "X-Request-Id: two"))
    with Gateway() as gateway, gateway.wire() as wire:
        for cut in range(1, len(two)):
            wire.send(two[:cut])
            wire.send(two[cut:])
            equal(f"ids when cut at {cut}",
                  [wire.answer().header("x-request-id") for _ in "12"],
                  ["one", "two"])


@each({"length": lambda body: (f"Content-Length: {len(body)}", body),
       "chunks": lambda body: ("Transfer-Encoding: chunked", chunked(body))})
def test_unread_body_of_50_kb_is_skipped_before_the_next_request(framed):
    line, body = framed(b"GET /healthz HTTP/1.1\r\n\r\n".ljust(50_000, b"x"))
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", line) + body +
                  request("GET", "/healthz", "X-Request-Id: next"))
        equal("status", wire.answer().status, 404)
        answer = wire.answer()
        equal("next", (answer.status, answer.header("x-request-id")),
              (200, "next"))


@test
def test_unread_body_that_comes_slowly_is_skipped():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", "Content-Length: 3000"))
        equal("status", wire.answer().status, 404)
        for _ in range(3):
            wire.send(b"y" * 1000)
        equal("next", wire.ask("GET", "/healthz").status, 200)


@test
def test_malformed_rest_of_an_unread_body_gets_no_second_answer():
    """It would pass for the answer to the client's next request."""
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", "Transfer-Encoding: chunked"))
        equal("status", wire.answer().status, 404)
        wire.send(b"5\r\nhello\r\nno chunk\r\n")
        wire.ended()


@test
def test_empty_lines_before_a_request_do_no_harm():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(b"\r\n" + request("GET", "/healthz"))
        among("status", wire.answer().status, (200, 400))


@test
def test_http_1_0_keep_alive_is_no_trap():
    """Kept or closed, but the answer is whole either way."""
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = wire.answer()
        equal("status", answer.status, 200)
        if (answer.header("connection") or "").lower() != "keep-alive":
            wire.ended()


# ---- answers that come before the body -------------------------------------

LENGTH = f"Content-Length: {2 * GIB}"
EARLY = {
    "413": (413, head("POST", "/files", FORM, LENGTH), b"x" * MIB),
    "413_in_chunks": (413, head("POST", "/files", FORM,
                                "Transfer-Encoding: chunked") +
                      chunked(large_form(1)[0])[:-5],
                      b"100000\r\n" + b"y" * MIB + b"\r\n"),
    "415": (415, head("POST", "/files", "Content-Type: application/json",
                      LENGTH), b"x" * MIB),
    "415_in_chunks": (415, head("POST", "/files", "Content-Type: text/plain",
                                "Transfer-Encoding: chunked"),
                      b"100000\r\n" + b"y" * MIB + b"\r\n"),
    "404": (404, head("POST", "/nope", LENGTH), b"x" * MIB),
    "405": (405, head("PUT", "/files", FORM, LENGTH), b"x" * MIB),
    "400": (400, head("POST", "/files", FORM, LENGTH, LENGTH[:-1]),
            b"x" * MIB),
    "json_413": (413, head("DELETE", "/files",
                           "Content-Type: application/json", LENGTH),
                 b"x" * MIB),
}


@each(EARLY)
def test_client_that_goes_on_sending_2_gib_reads_the_early_answer(case):
    status, start, piece = case
    with Gateway() as gateway:
        with gateway.wire() as wire:
            wire.send(start)
            sent = wire.flood(piece, 2 * GIB)
            answer = wire.answer()
            equal("status", answer.status, status)
            if LENGTH.encode() in start:
                equal("Connection", answer.header("connection"), "close")
            sent = wire.flood(piece, sent + 100 * MIB, sent=sent)
            wire.finish()
            wire.ended()
        equal("keys", gateway.keys(""), [])


@test
def test_client_that_goes_on_sending_2_gib_reads_a_401():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(denying(folder)) as gateway, gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM, LENGTH))
            wire.flood(b"x" * MIB, 2 * GIB)
            equal("status", wire.answer().status, 401)


def taken(wire, data):
    """A client that is reset while it sends may never see its answer; Linux
    would still show it, so what counts is that nothing is reset."""
    try:
        wire.socket.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        raise Mismatch("the connection was reset while the client sends") \
            from None


@each({"404": (404, "/nope", "Content-Type: text/plain"),
       "415": (415, "/files", "Content-Type: text/plain"),
       "413": (413, "/files", FORM)})
def test_client_that_sends_30_mb_before_reading_gets_its_answer(case):
    status, path, kind = case
    size = 60 * MIB if status == 413 else 30_000_000
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", path, kind, f"Content-Length: {size}"))
        for _ in range(30):
            taken(wire, b"x" * 1_000_000)
        equal("status", wire.answer().status, status)
        wire.ended()


@each({"404": (404, "/nope", "text/plain"),
       "415": (415, "/files", "text/plain")})
def test_client_that_sends_30_mb_in_chunks_before_reading_does_too(case):
    status, path, kind = case
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", path, f"Content-Type: {kind}",
                       "Transfer-Encoding: chunked"))
        for _ in range(30):
            taken(wire, chunked(b"x" * MIB)[:-5])
        equal("status", wire.answer().status, status)


# ---- deadlines -------------------------------------------------------------

def closes(wire, seconds, pace=None):
    """The other side closes within that time; what it still said.  Meanwhile
    `pace`, if given, is called about five times a second."""
    until = time.monotonic() + seconds * SLOWNESS
    wire.socket.settimeout(0.2 if pace else seconds * SLOWNESS)
    said = b""
    while time.monotonic() < until:
        try:
            data = wire.socket.recv(1 << 16)
        except TimeoutError:
            if pace:
                pace()
            continue
        except ConnectionResetError:
            data = b""
        if not data:
            return said
        said += data
    raise Mismatch(f"connection: still open after {seconds} s")


@each({"silent": b"", "after_some_bytes": b"GET /healthz HT",
       "in_a_header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A"})
def test_head_that_does_not_come_is_given_up(start):
    with Gateway({"limits": LIMITS}) as gateway, gateway.wire() as wire:
        wire.send(start)
        said = closes(wire, 4)
        expect(not said or said.startswith(b"HTTP/1.1 408"), f"said {said}")


@test
def test_head_that_trickles_is_given_up_at_its_deadline():
    with Gateway({"limits": LIMITS}) as gateway, gateway.wire() as wire:
        started = time.monotonic()
        wire.send(b"GET /healthz HTTP/1.1\r\nX-A: ")
        said = closes(wire, 5, lambda: wire.send(b"x"))
        expect(not said or said.startswith(b"HTTP/1.1 408"), f"said {said}")
        expect(time.monotonic() - started > 0.8, "given up too soon")


@test
def test_second_head_has_the_same_deadline():
    with Gateway({"limits": {**LIMITS, "idle_timeout": "1m"}}) as gateway, \
            gateway.wire() as wire:
        equal("status", wire.ask("GET", "/healthz").status, 200)
        wire.send(b"GET /healthz HTTP/1.1\r\nX-A: ")
        said = closes(wire, 5, lambda: wire.send(b"x"))
        expect(not said or said.startswith(b"HTTP/1.1 408"), f"said {said}")


@test
def test_idle_connection_is_closed_without_a_word():
    with Gateway({"limits": {**LIMITS, "head_timeout": "1m"}}) as gateway, \
            gateway.wire() as wire:
        equal("status", wire.ask("GET", "/healthz").status, 200)
        equal("what was said", closes(wire, 4), b"")


@each({"length": lambda body: (f"Content-Length: {len(body)}", body),
       "chunks": lambda body: ("Transfer-Encoding: chunked", chunked(body))})
def test_silence_inside_a_body_ends_the_upload(framed):
    line, body = framed(form(file(b"x" * 100_000)))
    with Gateway({"limits": LIMITS}) as gateway:
        _, base = warm(gateway)
        with gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM, line) + body[:50_000])
            said = closes(wire, 5)
            expect(not said or said[:12] in (b"HTTP/1.1 408",
                                             b"HTTP/1.1 400"), f"said {said}")
        gateway.settles(base)
        equal("keys", len(gateway.keys("")), 1)


@test
def test_body_that_trickles_is_waited_for():
    """Silence is limited, not the time of the whole body."""
    with Gateway({"limits": LIMITS}) as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/files", FORM,
                       f"Content-Length: {len(SMALL)}"))
        step = len(SMALL) // 8 + 1
        for at in range(0, len(SMALL), step):
            time.sleep(0.3)
            wire.send(SMALL[at:at + step])
        equal("status", wire.answer().status, 201)


@test
def test_client_that_never_reads_is_given_up():
    with Gateway({"limits": LIMITS}) as gateway:
        key, base = warm(gateway, 40 * MIB)
        with gateway.wire(buffer=4096) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            gateway.settles(base)


@test
def test_client_that_reads_slowly_is_served_to_the_end():
    data = bytes(range(256)) * (12 * KIB)
    with Gateway({"limits": LIMITS}) as gateway:
        key = gateway.upload(data)["key"]
        with gateway.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("length", wire.head().header("content-length"),
                  str(len(data)))
            got = b""
            for _ in range(8):
                time.sleep(0.4)
                got += wire.take(len(data) // 8)
            equal("md5", md5(got), md5(data))


@test
def test_pipelining_client_that_never_reads_costs_little():
    """Answers aren't collected for a client that takes none."""
    with Gateway({"limits": {**LIMITS, "write_timeout": "1m"}}) as gateway:
        key, base = warm(gateway, 200 * KIB)
        with gateway.wire(buffer=4096) as wire:
            before = gateway.status("VmRSS")
            wire.socket.settimeout(0.5)
            try:
                for _ in range(2000):
                    wire.socket.sendall(
                        request("GET", f"/files/download?key={key}") * 20)
            except TimeoutError:
                pass
            gateway.alive()
            grown = gateway.status("VmRSS") - before
            expect(grown < 8 * KIB * SLOWNESS, f"memory grew by {grown} KiB")
            wire.reset()
        gateway.settles(base)


# ---- clients that leave ----------------------------------------------------

def stages(key):
    """This is what was sent, and how much of an answer read, when the
    client goes."""
    before, after, length = large_form(MIB)
    whole = before + b"x" * MIB + after
    post = head("POST", "/files", FORM, f"Content-Length: {length}")
    many = head("POST", "/files", FORM, "Transfer-Encoding: chunked")
    get = request("GET", f"/files/download?key={key}")
    return {
        "silent": (b"", 0), "in_the_method": (b"GE", 0),
        "in_the_head": (get[:-2], 0), "after_a_head": (get, 0),
        "in_the_answer": (get, 1000), "later_in_the_answer": (get, MIB),
        "before_the_body": (post, 0), "in_a_part_head": (post + before[:60],
                                                         0),
        "in_the_file": (post + whole[:MIB // 2], 0),
        "before_the_last_boundary": (post + whole[:-len(after)], 0),
        "before_the_last_byte": (post + whole[:-1], 0),
        "after_the_body": (post + whole, 0),
        "at_an_expectation": (head("POST", "/files", FORM,
                                   f"Content-Length: {length}",
                                   "Expect: 100-continue"), 10),
        "before_a_chunk": (many, 0), "in_a_chunk_size": (many + b"40", 0),
        "in_a_chunk": (many + b"40000\r\n" + before, 0),
        "before_the_last_chunk": (many + chunked(whole)[:-5], 0),
        "in_the_last_chunk": (many + chunked(whole)[:-2], 0),
        "in_a_skipped_body": (head("POST", "/nope",
                                   "Content-Length: 50000") + b"x" * 100,
                              100),
        "in_a_refused_body": (head("POST", "/nope", LENGTH) + b"x" * MIB,
                              100),
        "pipelining": (get * 20, 1000),
        "with_half_a_next_head": (request("GET", "/healthz") + get[:30], 50),
    }


@each({"fin": "close", "rst": "reset", "half": "finish"})
def test_client_that_leaves_at_any_stage_leaves_nothing_behind(how):
    with Gateway() as gateway:
        key, base = warm(gateway, 8 * MIB)
        for name, (start, count) in stages(key).items():
            for _ in ROUNDS:
                with gateway.wire(buffer=64 * KIB) as wire:
                    wire.send(start)
                    if count:
                        wire.take(count)
                    getattr(wire, how)()
            try:
                gateway.settles(base)
            except Mismatch as mismatch:
                raise Mismatch(f"{name}: {mismatch}") from None
        gateway.alive()
        for name in gateway.keys(""):
            among("size of what is there",
                  len(gateway.download(name).body), (MIB, 8 * MIB))


@test
def test_client_that_is_reset_behind_unread_data_is_noticed():
    """The backend takes no more, so the gateway doesn't read; the end of the
    connection lies behind what it hasn't read."""
    before, _, length = large_form(16 * MIB)
    with Gateway(stall(swallow="64KiB")) as gateway:
        _, base = warm(gateway)
        for _ in ROUNDS:
            with gateway.wire() as wire:
                wire.send(head("POST", "/stall", FORM,
                               f"Content-Length: {length}") + before)
                wire.flood(b"x" * MIB, 300 * KIB, 1)
                gateway.alive()
                wire.reset()
        gateway.settles(base)


@test
def test_client_that_is_reset_while_the_backend_is_silent_is_noticed():
    with Gateway(stall()) as gateway:
        _, base = warm(gateway)
        for key in "stall/head", "stall/body":
            with gateway.wire() as wire:
                wire.send(request("GET", f"/stall/download?key={key}"))
                if key == "stall/body":
                    equal("status", wire.head().status, 200)
                gateway.alive()
                wire.reset()
        gateway.settles(base)


@test
def test_client_that_closes_while_the_backend_is_silent_ends_with_it():
    """Its FIN may also be that of a client that still listens."""
    before, _, length = large_form(16 * MIB)
    with Gateway({**stall(swallow="64KiB"),
                  "limits": {"backend_timeout": "1s"}}) as gateway:
        _, base = warm(gateway)
        for _ in ROUNDS:
            with gateway.wire() as wire:
                wire.send(head("POST", "/stall", FORM,
                               f"Content-Length: {length}") + before)
                wire.flood(b"x" * MIB, 300 * KIB, 1)
            with gateway.wire() as wire:
                wire.send(request("GET", "/stall/download?key=stall/head"))
        gateway.settles(base)


@test
def test_client_that_has_said_its_last_word_is_still_answered():
    data = bytes(range(256)) * 8192
    with Gateway() as gateway:
        with gateway.wire() as wire:
            wire.send(request("POST", "/files", FORM,
                              body=form(file(data))))
            wire.finish()
            answer = wire.answer()
            equal("status", answer.status, 201)
            wire.ended()
        with gateway.wire() as wire:
            wire.send(request(
                "GET", f"/files/download?key={answer.json['key']}"))
            wire.finish()
            equal("md5", md5(wire.answer().body), md5(data))
            wire.ended()
        gateway.alive()


@each({"no_head": ("GET", "/stall/download?key=stall/head", None),
       "no_list": ("GET", "/stall?prefix=stall/", None),
       "no_commit": ("POST", "/stall",
                     form(field("prefix", "stall"), file()))})
def test_backend_that_never_answers_is_a_504(case):
    method, target, body = case
    with Gateway({**stall(), "limits": {"backend_timeout": "1s"}}) as gateway:
        answer = gateway.ask(method, target, FORM, body=body)
        equal("status", answer.status, 504)
        gateway.alive()


@test
def test_download_that_stops_halfway_ends_short():
    """The client must see that something is missing."""
    with Gateway({**stall(), "limits": {"backend_timeout": "1s"}}) as gateway:
        with gateway.wire() as wire:
            wire.send(request("GET", "/stall/download?key=stall/body"))
            length = int(wire.head().header("content-length"))
            while wire.more():
                pass
            expect(0 < len(wire.input) < length,
                   f"{len(wire.input)} of {length} bytes came")
        gateway.alive()


@test
def test_backend_that_ignores_being_canceled_holds_up_no_client():
    """It does hold up the end, but not for ever."""
    with Gateway({**stall(deaf=True),
                  "limits": {"backend_timeout": "1s",
                             "drain_timeout": "1s"}}) as gateway:
        for _ in range(3):
            equal("status", gateway.ask(
                "GET", "/stall/download?key=stall/head").status, 504)
        equal("object", gateway.download(
            gateway.upload(mount="/stall")["key"], mount="/stall").body,
              b"hello")
        gateway.stop(status=1)
        gateway.says("doesn't end its operations")


@test
def test_backend_that_is_full_is_a_507():
    before, after, length = large_form(9 * MIB)
    with Gateway(stall()) as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/stall", FORM, f"Content-Length: {length}") +
                  before + b"x" * 9 * MIB + after)
        equal("status", wire.answer().status, 507)
        equal("keys", gateway.keys("", "/stall"), [])


@test
def test_upload_under_way_makes_no_other_wait():
    before, after, length = large_form(MIB)
    with Gateway({"server": {"workers": "1"}}) as gateway:
        wires = [gateway.wire() for _ in range(50)]
        try:
            for wire in wires:
                wire.send(head("POST", "/files", FORM,
                               f"Content-Length: {length}") + before)
            started = time.monotonic()
            for _ in range(10):
                gateway.upload(prefix="other")
            expect(time.monotonic() - started < PATIENCE, "it took too long")
            for wire in wires:
                wire.send(b"z" * MIB + after)
            equal("statuses", {wire.answer().status for wire in wires},
                  {201})
            equal("keys", len(gateway.keys("t/")), 50)
        finally:
            for wire in wires:
                wire.close()


if __name__ == "__main__":
    main()
