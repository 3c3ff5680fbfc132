#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `compress` over S3: sizes in lists, what was altered below, and
what fails midway; and with `encrypt`, over it and under it.  Over the
emulator, and with SLUICE_LAYERS_CEPH=1 partly over a real Ceph."""
import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
sys.path.insert(0, str(Path(__file__).parent))
import kit  # noqa: E402  pylint: disable=wrong-import-position
import seekread  # noqa: E402
from bucket import BUCKET, backend  # noqa: E402
from compresskit import (FRAME, Small, main, noise_of, stands_on_itself,
                         text_of)  # noqa: E402
from kit import (MIB, each, equal, eventually, expect, request,
                 test)  # noqa: E402
from s3.kit import Rgw, shared  # noqa: E402

SERVER = []
ROUTES = [{"mount": "/files", "backend": "small"},
          {"mount": "/below", "backend": "bucket"}]


def server():
    if os.environ.get("SLUICE_LAYERS_CEPH") and not SERVER:
        SERVER.append(Rgw())
        SERVER[0].create(BUCKET)
        atexit.register(SERVER[0].stop)
    return SERVER[0] if SERVER else shared("ceph")


def far(s3=None, more=None, routes=None, over="bucket", **options):
    bucket = backend(s3 or server(), **options)
    del bucket["directory"]
    gate = Small({"bucket": bucket, **(more or {})}, routes or ROUTES,
                 over=over)
    gate.ask("DELETE", "/files/object?key=k")
    return gate


@test
def test_bucket_has_less_and_tells_plain_sizes():
    data = text_of(12 * MIB + 5)
    with far() as gate:
        gate.put("c/large", data)
        gate.put("c/noise", noise_of(100000))
        gate.put("c/small", b"hello")
        expect(gate.get("c/large").body == data, "other bytes")
        for first in 0, FRAME, 7 * MIB + 3:
            expect(gate.get("c/large",
                            f"Range: bytes={first}-{first + 99999}").body ==
                   data[first:first + 100000], f"{first}: other bytes")
        for limit in 1, 2, 1000:
            found, cursor = {}, ""
            while cursor is not None:
                page = gate.ask("GET", f"/files?prefix=c/&limit={limit}"
                                f"{cursor and '&cursor=' + cursor}").json
                found.update((one["key"], one["size_bytes"])
                             for one in page["objects"])
                cursor = page.get("next_cursor")
            equal("list", found, {"c/large": len(data), "c/noise": 100000,
                                  "c/small": 5})
        done = gate.json("POST", "/files/copy", {
            "from": "c/large", "to": "c/copy", "replace": True})
        equal("copy", (done.status, done.json["size_bytes"]),
              (201, len(data)))
        expect(gate.get("c/copy").body == data, "other bytes")
        if shutil.which("zstd"):
            expect(seekread.unpacked(gate.stored("c/copy")) == data,
                   "another reader")
        equal("breaches", gate.breaches(), [])


# ---- what was altered ------------------------------------------------------

LENGTH = 2 * FRAME + 500
DATA = text_of(LENGTH)


def flipped(at):
    return lambda s, f: s[:at] + bytes([s[at] ^ 1]) + s[at + 1:]


ALTERED = {
    "first_magic": flipped(0), "first_header": flipped(4),
    "first_bytes": flipped(40),
    "middle": lambda s, f: flipped(f[1][0] + 60)(s, f),
    "last_frame_s_sum": lambda s, f: flipped(sum(f[2][:2]) - 1)(s, f),
    "cut_by_a_byte": lambda s, f: s[:-1],
    "cut_by_the_table": lambda s, f: s[:sum(f[2][:2])],
    "cut_at_a_frame": lambda s, f: s[:f[2][0]],
    "cut_to_nothing": lambda s, f: b"",
    "prolonged": lambda s, f: s + s[-100:],
    "frame_twice": lambda s, f: s[:f[1][0]] + s,
    "frames_swapped": lambda s, f: (s[f[1][0]:f[2][0]] + s[:f[1][0]] +
                                    s[f[2][0]:]),
    "last_is_first": lambda s, f: s[f[2][0]:f[2][0] + f[2][1]] + s,
    "frame_left_out": lambda s, f: s[:f[1][0]] + s[f[2][0]:],
    "not_compressed": lambda s, f: b"plain " * 50}


SUM = kit.md5(DATA)


def put_below(s3, key, body, mark):
    answer = s3.client().put(BUCKET, key, body,
                             {"x-amz-meta-sluice-zstd": mark})
    equal("put", answer.status, 200)


def broken_off(gate, *lines):
    """The bytes that came, which are less than was told."""
    with gate.wire() as wire:
        wire.send(request("GET", "/files/object?key=k", *lines))
        head = wire.head()
        if head.status not in (200, 206):
            equal("status", head.status, 502)
            return b""
        length = int(head.header("content-length"))
        while len(wire.input) < length and wire.more():
            pass
        expect(len(wire.input) < length, "all of it came")
        return wire.input


@each(ALTERED)
def test_altered_object_is_never_sent_whole(alter):
    s3 = shared("ceph")
    with far(s3) as gate:
        gate.put("k", DATA)
        stored = gate.stored("k")
        altered = alter(stored, seekread.frames_of(stored))
        put_below(s3, "k", altered, f"{LENGTH}/{FRAME}/{SUM}")
        got = broken_off(gate)
        expect(all(got[at:at + FRAME] in DATA
                   for at in range(0, len(got), FRAME)), "other bytes")
        gate.says("isn't what was compressed|ended before all bytes came")
        equal("breaches", gate.breaches(), [])
        equal("delete", gate.ask("DELETE", "/files/object?key=k").status, 200)
        gate.put("k", DATA)
        expect(gate.get("k").body == DATA, "it can't be stored anew")


@each({"sum": lambda s, f: s[:f[2][0] + f[2][1] + 12] + b"\x07" +
       s[f[2][0] + f[2][1] + 13:],
       "foot": lambda s, f: s[:-1] + b"\x00",
       "count": lambda s, f: s[:-9] + b"\x02" + s[-8:]})
def test_altered_table_gives_no_range(alter):
    """A whole download doesn't need it, and has a sum for each frame."""
    s3 = shared("ceph")
    with far(s3) as gate:
        gate.put("k", DATA)
        stored = gate.stored("k")
        put_below(s3, "k", alter(stored, seekread.frames_of(stored)),
                  f"{LENGTH}/{FRAME}/{SUM}")
        equal("range", gate.get("k", f"Range: bytes={FRAME}-").status, 502)
        gate.says("isn't what was compressed")
        expect(gate.get("k").body == DATA, "other bytes")


MARKS = {
    "nothing": "", "words": "zstd", "no_frame": f"131572/{SUM}",
    "no_sum": "131572/65536", "short_sum": f"131572/65536/{SUM[1:]}",
    "upper_case": f"131572/65536/{'A' * 32}", "zero": f"0/65536/{SUM}",
    "tiny_frame": f"131572/4095/{SUM}", "huge_frame": f"131572/8388609/{SUM}",
    "huge_object": f"18446744073709551615/65536/{SUM}",
    "rest": f"131572/65536/{SUM}0", "sign": f"-1/65536/{SUM}",
    "overflow": f"99999999999999999999/65536/{SUM}"}


@each(MARKS)
def test_mark_that_says_nonsense_is_502(mark):
    s3 = shared("ceph")
    with far(s3) as gate:
        gate.put("k", DATA)
        put_below(s3, "k", gate.stored("k"), mark)
        equal("get", gate.get("k").status, 502)
        equal("head", gate.head("k").status, 502)
        equal("list", gate.ask("GET", "/files?prefix=k").status, 200)
        equal("breaches", gate.breaches(), [])


@each({"more": f"{LENGTH + 1}/{FRAME}", "less": f"{LENGTH - 1}/{FRAME}",
       "frames": f"{LENGTH}/{FRAME * 2}", "smaller": f"{LENGTH}/4096"})
def test_mark_of_another_object_is_noticed(mark):
    s3 = shared("ceph")
    with far(s3) as gate:
        gate.put("k", DATA)
        put_below(s3, "k", gate.stored("k"), f"{mark}/{SUM}")
        expect(DATA.startswith(broken_off(gate)), "other bytes")
        expect(broken_off(gate, f"Range: bytes={FRAME}-") == b"", "a range")


@test
def test_bomb_takes_no_memory():
    """Many zeros in one frame are refused by a mark that says so, and by
    their header, where the mark says less."""
    kit.needs(shutil.which("zstd"), "no zstd")
    s3 = shared("ceph")
    bomb = kit.subprocess.run(["zstd", "-c", "-19", "--long=27"],
                              input=bytes(256 * MIB), check=True,
                              stdout=kit.subprocess.PIPE).stdout
    with far(s3) as gate:
        gate.put("k", DATA)
        table = gate.stored("k")[-17 - 8 * 3:]
        before = gate.status("VmHWM")
        for shape in (f"{256 * MIB}/{256 * MIB}", f"{LENGTH}/{FRAME}",
                      f"{256 * MIB}/{8 * MIB}"):
            put_below(s3, "k", bomb + table, f"{shape}/{SUM}")
            equal("bytes", broken_off(gate), b"")
        expect(gate.status("VmHWM") - before < 32 * 1024, "memory grew")


# ---- what fails midway -----------------------------------------------------

GET = {"method": "GET", "path": "/k$"}


@each({"whole": [], "range": [f"Range: bytes={FRAME}-"]})
def test_storage_that_breaks_off_is_noticed(lines):
    s3 = shared("ceph")
    with far(s3, retry_time="10ms") as gate:
        gate.put("k", DATA)
        s3.faults({"match": GET, "do": "truncate", "at": 10, "times": 99})
        try:
            broken_off(gate, *lines)
        finally:
            s3.control("DELETE", "faults")
        expect(gate.get("k").body == DATA, "it doesn't come back")
        equal("breaches", gate.breaches(), [])


@test
def test_upload_whose_storage_fails_leaves_what_was_there():
    s3 = shared("ceph")
    with far(s3, retry_time="10ms") as gate:
        gate.put("k", b"before")
        s3.faults({"match": {"method": "PUT", "path": "/k$"}, "do": "403",
                   "times": 99})
        try:
            answer = gate.ask("PUT", "/files/object?key=k", body=DATA)
            expect(answer.status >= 500, answer.status)
        finally:
            s3.control("DELETE", "faults")
        equal("bytes", gate.get("k").body, b"before")


@test
def test_client_may_leave_in_the_middle():
    data = text_of(24 * MIB)
    with far(more={}) as gate:
        gate.put("k", data)
        with gate.wire(buffer=4096) as wire:
            wire.send(request("GET", "/files/object?key=k"))
            equal("status", wire.head().status, 200)
            wire.reset()
        with gate.wire() as wire:
            wire.send(b"PUT /files/object?key=new HTTP/1.1\r\nHost: x\r\n"
                      b"Content-Length: 9999999\r\n\r\n" + data[:5000000])
            wire.reset()
        equal("new", gate.head("new").status, 404)
        equal("again", gate.get("k", "Range: bytes=5-9").body, data[5:10])
        equal("breaches", gate.breaches(), [])


# ---- with others -----------------------------------------------------------

@each({"over": ("small", "safe", "bucket"), "under": ("safe", "small",
                                                      "bucket")})
def test_encrypt_and_compress_stand_on_each_other(order):
    data = text_of(3 * MIB + 17)
    top, middle, low = order
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "key")
        key.write_text("0123456789abcdef" * 4)
        key.chmod(0o600)
        safe = {"plugin": "encrypt", "key_file": str(key),
                "over": low if middle == "safe" else middle}
        routes = [{"mount": "/files", "backend": top},
                  {"mount": "/below", "backend": low}]
        with far(more={"safe": safe}, routes=routes,
                 over=low if middle == "small" else middle) as gate:
            for name, body in (("e/a", data), ("e/b", b""), ("e/c", b"hi"),
                               ("e/d", noise_of(200000))):
                gate.put(name, body)
                expect(gate.get(name).body == body, f"{name}: other bytes")
                equal("head", gate.head(name).header("content-length"),
                      str(len(body)))
                expect(body[:100] not in gate.stored(name) or len(body) < 3,
                       "it lies plain")
            sizes = [one["size_bytes"]
                     for one in gate.ask("GET", "/files?prefix=e/").json[
                         "objects"]]
            equal("list", sizes, [len(data), 0, 2, 200000])
            equal("range", gate.get("e/a", "Range: bytes=1000000-1000099"
                                    ).body, data[1000000:1000100])
            expect((len(gate.stored("e/a")) < len(data) * 3 // 4) ==
                   (top == "small"), "compressed")
            equal("breaches", gate.breaches(), [])


@test
def test_compress_stands_on_compress():
    twice = {"plugin": "compress", "over": "bucket", "frame_size": "64KiB"}
    stands_on_itself(lambda: far(more={"second": twice}, over="second"),
                     copies=False)


if __name__ == "__main__":
    main()
