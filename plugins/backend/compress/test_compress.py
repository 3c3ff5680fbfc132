#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `compress`: what the storage has is shorter, an independent reader
opens it, sizes and ranges are the plain ones, and what was altered is never
sent."""
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
sys.path.insert(0, str(Path(__file__).parent))
import kit  # noqa: E402  pylint: disable=wrong-import-position
import seekread  # noqa: E402
from compresskit import (FRAME, Small, main, noise_of, stands_on_itself,
                         text_of)  # noqa: E402
from kit import (FORM, each, equal, expect, field, file, form,
                 refusal, test)  # noqa: E402

PACKED = (5000, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 1,
          3 * 1024 * 1024 + 7)
SIZES = (0, 1, 5, 4095, 4096, *PACKED)


# ---- the format ------------------------------------------------------------

@test
def test_independent_reader_opens_what_is_stored():
    kit.needs(shutil.which("zstd"), "no zstd")
    with Small() as gate:
        for size in PACKED:
            data = text_of(size)
            gate.put("k", data)
            stored = gate.stored("k")
            expect(len(stored) < size * 3 // 4, f"{size}: {len(stored)}")
            frames = seekread.frames_of(stored)
            equal("frames", [plain for _, _, plain in frames],
                  [min(FRAME, size - at) for at in range(0, size, FRAME)])
            expect(seekread.unpacked(stored) == data, f"{size}: as a whole")
    data = text_of(2 * FRAME + 77)
    with Small() as gate:
        gate.put("k", data)
        expect(seekread.plain_of(gate.stored("k")) == data, "by frames")


@test
def test_object_comes_back_with_its_plain_size():
    with Small() as gate:
        for size in SIZES:
            data = text_of(size)
            gate.put("k", data)
            answer = gate.get("k")
            expect(answer.body == data, f"{size}: other bytes")
            equal("length", answer.header("content-length"), str(size))
            equal("head", gate.head("k").header("content-length"), str(size))
            names = gate.ask("GET", "/files?prefix=").json["objects"]
            equal("list", [one["size_bytes"] for one in names], [size])
            equal("etag", gate.head("k").header("etag"),
                  answer.header("etag"))
        equal("breaches", gate.breaches(), [])


@test
def test_what_doesn_t_get_shorter_is_stored_as_it_is():
    with Small() as gate:
        for data in (noise_of(3 * FRAME + 5), text_of(4095), b"",
                     noise_of(FRAME) + text_of(10 * FRAME)):
            gate.put("k", data)
            expect(gate.stored("k") == data, "it was compressed")
            expect(gate.get("k").body == data, "other bytes")
            equal("head", gate.head("k").header("content-length"),
                  str(len(data)))


@test
def test_compress_stands_on_compress():
    twice = {"plugin": "compress", "over": "main", "frame_size": "64KiB"}
    stands_on_itself(lambda: Small({"second": twice}, over="second"))


@test
def test_third_on_each_other_is_refused_and_stores_nothing():
    over = {"second": {"plugin": "compress", "over": "third"},
            "third": {"plugin": "compress", "over": "main"}}
    with Small(over, over="second") as gate:
        answer = gate.ask("PUT", "/files/object?key=k", body=b"a" * 3000000)
        expect(answer.status >= 400, f"status {answer.status}")
        gate.says("three layers that compress stand on each other")
        equal("there", gate.head("k").status, 404)


@test
def test_noise_behind_text_comes_back():
    data = text_of(FRAME) + noise_of(4 * FRAME + 9) + text_of(FRAME)
    with Small() as gate:
        gate.put("k", data)
        expect(gate.stored("k") != data, "as it is")
        expect(gate.get("k").body == data, "other bytes")
        equal("range", gate.get("k", f"Range: bytes={2 * FRAME}-"
                                f"{2 * FRAME + 99}").body,
              data[2 * FRAME:2 * FRAME + 100])


@each({"1": "1", "9": "9", "19": "19"})
def test_each_level_packs(level):
    data = text_of(FRAME + 5)
    with Small(level=level) as gate:
        gate.put("k", data)
        expect(gate.get("k").body == data, "other bytes")


@test
def test_other_frame_size_reads_what_is_there():
    data = text_of(5 * FRAME + 3)
    with tempfile.TemporaryDirectory() as folder:
        for size, frames in ("4KiB", -(-len(data) // 4096)), ("8MiB", 1):
            with Small(frame_size=size, folder=folder) as gate:
                gate.put(size, data)
                equal("frames", len(seekread.frames_of(gate.stored(size))),
                      frames)
        with Small(frame_size="1MiB", level="9", folder=folder) as gate:
            for size in "4KiB", "8MiB":
                expect(gate.get(size).body == data, "other bytes")
                equal("range", gate.get(size, "Range: bytes=70000-70009").body,
                      data[70000:70010])


@test
def test_every_range_has_its_bytes():
    size = 3 * FRAME + 100
    data = text_of(size)
    edges = [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME - 1, 2 * FRAME,
             3 * FRAME, size - 1]
    with Small() as gate:
        gate.put("k", data)
        for first in edges:
            for last in [edge for edge in edges if edge >= first] + [size]:
                answer = gate.get("k", f"Range: bytes={first}-{last}")
                equal("status", answer.status, 206)
                equal("told", answer.header("content-range"),
                      f"bytes {first}-{min(last, size - 1)}/{size}")
                expect(answer.body == data[first:last + 1],
                       f"{first}-{last}: other bytes")
        equal("tail", gate.get("k", "Range: bytes=-10").body, data[-10:])
        equal("behind", gate.get("k", f"Range: bytes={size}-").status, 416)
        equal("breaches", gate.breaches(), [])


# ---- the HTTP side ---------------------------------------------------------

@test
def test_conditions_copies_and_moves_work():
    data = text_of(100000)
    with Small() as gate:
        gate.put("a", data)
        tag = gate.get("a").header("etag")
        equal("304", gate.get("a", f"If-None-Match: {tag}").status, 304)
        equal("other", gate.ask("PUT", "/files/object?key=a", 'If-Match: "x"',
                                body=b"y").status, 412)
        equal("same", gate.ask("PUT", "/files/object?key=a",
                               f"If-Match: {tag}",
                               body=data[:70000]).status, 200)
        equal("new", gate.ask("PUT", "/files/object?key=a",
                              "If-None-Match: *", body=data).status, 412)
        for way, key in ("copy", "b"), ("move", "c"):
            done = gate.json("POST", f"/files/{way}",
                             {"from": "a", "to": key})
            equal(way, (done.status, done.json["size_bytes"]), (201, 70000))
            expect(gate.get(key).body == data[:70000], "other bytes")
        equal("moved", gate.head("a").status, 404)
        tag = gate.head("c").header("etag")
        equal("delete", gate.ask("DELETE", "/files/object?key=c",
                                 f"If-Match: {tag}").status, 200)
        equal("breaches", gate.breaches(), [])


@test
def test_mark_isn_t_shown():
    with Small() as gate:
        gate.put("k", text_of(100000))
        answer = gate.get("k")
        expect(not any("zstd" in f"{name} {value}".lower()
                       for name, value in answer.headers), answer.headers)


@test
def test_link_is_the_gateway_s():
    data = text_of(100000)
    with Small() as gate:
        gate.put("a", data)
        link = gate.json("POST", "/files/presign", {"key": "a"}).json["url"]
        equal("bytes", gate.ask("GET", link[link.index("/files/"):]).body,
              data)


@test
def test_many_are_deleted():
    with Small() as gate:
        for key in "a", "b", "c":
            gate.put(key, text_of(5000))
        done = gate.json("POST", "/files/delete", {"keys": ["a", "b", "x"]})
        equal("deleted", sorted(done.json["deleted"]), ["a", "b", "x"])
        equal("delete", gate.ask("DELETE", "/files/object?key=c").status, 200)
        equal("left", gate.ask("GET", "/files?prefix=").json["objects"], [])


@test
def test_digests_are_of_the_plain_bytes():
    data = text_of(1024 * 1024)
    with Small() as gate:
        answer = gate.ask("POST", "/files", FORM,
                          body=form(file(data), field("prefix", "p")))
        equal("md5", answer.json["md5"], hashlib.md5(data).hexdigest())
        equal("size", answer.json["size_bytes"], len(data))
        expect(gate.download(answer.json["key"]).body == data, "other bytes")
        for extra, status in ((b"", 201), (b"x", 400)):
            digest = hashlib.sha256(data + extra).hexdigest()
            answer = gate.ask("POST", "/files", FORM, body=form(
                field("prefix", "p"), file(data), field("sha256", digest)))
            equal("status", answer.status, status)


@test
def test_resumable_upload_isn_t_offered():
    with Small() as gate:
        equal("status", gate.ask("POST", "/files/uploads",
                                 "Tus-Resumable: 1.0.0",
                                 "Upload-Length: 5").status, 501)


@test
def test_list_of_many_pages_tells_plain_sizes():
    with Small() as gate:
        for number in range(45):
            gate.put(f"k/{number:02d}", text_of(4096 + number))
        for limit in 1, 17, 1000:
            found, cursor = [], ""
            while cursor is not None:
                page = gate.ask("GET", f"/files?prefix=k/&limit={limit}"
                                f"{cursor and '&cursor=' + cursor}").json
                found += [(one["key"], one["size_bytes"])
                          for one in page["objects"]]
                cursor = page.get("next_cursor")
            equal("list", found, [(f"k/{number:02d}", 4096 + number)
                                  for number in range(45)])
        folded = gate.ask("GET", "/files?prefix=&delimiter=%2F").json
        equal("folded", folded["prefixes"], ["k/"])
        equal("breaches", gate.breaches(), [])


# ---- what lies there -------------------------------------------------------

@test
def test_objects_from_before_are_served_as_they_are():
    data = text_of(100000)
    with Small() as gate:
        gate.put("old", data, mount="/below")
        expect(gate.get("old").body == data, "other bytes")
        equal("range", gate.get("old", "Range: bytes=70000-70009").body,
              data[70000:70010])
        equal("head", gate.head("old").header("content-length"), "100000")
        names = gate.ask("GET", "/files?prefix=").json["objects"]
        equal("list", [one["size_bytes"] for one in names], [100000])
        gate.put("old", data)
        expect(len(gate.stored("old")) < 60000, "it isn't compressed")


@test
def test_uploaded_zstd_stays_what_it_is():
    """By its mark, and not by its bytes, an object counts as compressed."""
    with Small() as gate:
        gate.put("a", text_of(100000))
        stored = gate.stored("a")
        gate.put("b", stored)
        expect(gate.get("b").body == stored, "other bytes")


# ---- the configuration -----------------------------------------------------

REFUSED = {
    "level_0": ({"level": "0"}, "level: 0 isn't a level; write 1 to 19"),
    "level_20": ({"level": "20"}, "level: 20 isn't a level; write 1 to 19"),
    "frame_small": ({"frame_size": "4095B"}, "frame_size"),
    "frame_large": ({"frame_size": "8193KiB"},
                    "frame_size: 8389632 bytes; write 4KiB to 8MiB"),
    "nothing_below": ({"over": "nobody"}, "nobody")}


@each(REFUSED)
def test_bad_option_stops_the_start(case):
    words, why = case
    refusal({"backends": {"small": {"plugin": "compress", "over": "main",
                                    **words}}}, why)


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("compress.yaml"))


if __name__ == "__main__":
    main()
