#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `encrypt`: what the storage has is sealed, an independent reader
opens it, and what was altered is never sent."""
import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
sys.path.insert(0, str(Path(__file__).parent))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (FORM, Gateway, SOURCES, each, equal, expect, field, file,
                 form, like, quote, refusal, test)  # noqa: E402

try:
    import unseal
except ImportError:
    unseal = None

PIECE = 65536
KEY, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
ROUTES = [{"mount": "/files", "backend": "safe"},
          {"mount": "/below", "backend": "main"}]


def key_file(folder, *lines, mode=0o600):
    path = Path(folder, "key")
    path.write_text("".join(line + "\n" for line in lines))
    path.chmod(mode)
    return str(path)


class Safe(Gateway):
    """A gateway over sealed objects, which are also seen as they lie."""

    def __init__(self, *keys, folder=None):
        self.place = folder or tempfile.mkdtemp(prefix="sluice-test-")
        super().__init__({"backends": {"safe": {
            "plugin": "encrypt", "over": "main",
            "key_file": key_file(self.place, *(keys or (KEY,)))}},
            "routes": ROUTES}, folder=folder)

    def put(self, key, data, mount="/files"):
        answer = self.ask("PUT", f"{mount}/object?key={quote(key, safe='')}",
                          body=data)
        expect(answer.status in (200, 201), f"{key}: {answer.status}")

    def get(self, key, *lines, mount="/files"):
        return self.ask("GET", f"{mount}/object?key={quote(key, safe='')}",
                        *lines)

    def sealed(self, key):
        return self.get(key, mount="/below").body


def bytes_of(length):
    return hashlib.shake_128(str(length).encode()).digest(length)


SIZES = (0, 1, 5, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1,
         3 * 1024 * 1024 + 7)


@test
def test_independent_reader_opens_what_is_stored():
    kit.needs(unseal, "no python3-cryptography")
    with Safe() as gate:
        for size in SIZES:
            data = bytes_of(size)
            gate.put("k", data)
            sealed = gate.sealed("k")
            pieces = max(1, -(-size // PIECE))
            equal("length", len(sealed), 76 + size + 16 * pieces)
            expect(unseal.unsealed(sealed, [bytes.fromhex(KEY)]) == data,
                   f"{size}: other bytes")


@test
def test_object_comes_back_with_its_plain_size():
    with Safe() as gate:
        for size in SIZES:
            data = bytes_of(size)
            gate.put("k", data)
            answer = gate.get("k")
            expect(answer.body == data, f"{size}: other bytes")
            equal("length", answer.header("content-length"), str(size))
            head = gate.ask("HEAD", "/files/object?key=k")
            equal("head", head.header("content-length"), str(size))
            names = gate.ask("GET", "/files?prefix=").json["objects"]
            equal("list", [one["size_bytes"] for one in names], [size])


@test
def test_every_range_has_its_bytes():
    size = 3 * PIECE + 100
    data = bytes_of(size)
    edges = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE,
             3 * PIECE, size - 1]
    with Safe() as gate:
        gate.put("k", data)
        for first in edges:
            for last in [edge for edge in edges if edge >= first] + [size]:
                answer = gate.get("k", f"Range: bytes={first}-{last}")
                equal("status", answer.status, 206)
                expect(answer.body == data[first:last + 1],
                       f"{first}-{last}: other bytes")
        equal("behind", gate.get("k", f"Range: bytes={size}-").status, 416)


@test
def test_small_objects_of_the_index_have_ranges_too():
    with Safe() as gate:
        gate.put("k", b"hello")
        answer = gate.get("k", "Range: bytes=1-3")
        equal("range", (answer.status, answer.body), (206, b"ell"))


@test
def test_nothing_plain_lies_in_the_storage():
    mark = b"a very plain mark of this test" * 4000
    with Safe() as gate:
        gate.put("k", mark)
        gate.put("s", mark[:100])
        for path in Path(gate.folder, "data").rglob("*"):
            if path.is_file():
                expect(mark[:30] not in path.read_bytes(), path)


@test
def test_same_bytes_are_sealed_differently():
    with Safe() as gate:
        gate.put("a", b"hello")
        gate.put("b", b"hello")
        expect(gate.sealed("a")[28:] != gate.sealed("b")[28:], "the same")
        expect(gate.get("a").header("etag") != gate.get("b").header("etag"),
               "the same ETag")


@test
def test_conditions_and_copies_work():
    with Safe() as gate:
        gate.put("a", bytes_of(100000))
        tag = gate.get("a").header("etag")
        equal("other", gate.ask("PUT", "/files/object?key=a", 'If-Match: "x"',
                                body=b"y").status, 412)
        equal("same", gate.ask("PUT", "/files/object?key=a",
                               f"If-Match: {tag}",
                               body=bytes_of(70000)).status, 200)
        equal("304", gate.get("a", "If-None-Match: " +
                              gate.get("a").header("etag")).status, 304)
        done = gate.json("POST", "/files/move", {"from": "a", "to": "b"})
        equal("move", (done.status, done.json["size_bytes"]), (201, 70000))
        expect(gate.get("b").body == bytes_of(70000), "other bytes")


@test
def test_link_is_the_gateway_s():
    with Safe() as gate:
        gate.put("a", b"hello")
        link = gate.json("POST", "/files/presign", {"key": "a"}).json["url"]
        target = link[link.index("/files/"):]
        equal("bytes", gate.ask("GET", target).body, b"hello")
        equal("below", gate.ask("GET", target.replace(
            "/files/", "/below/")).status, 403)


@test
def test_names_of_both_gateways_lie_apart():
    """Each has a secret of links, in one storage."""
    with Safe() as gate:
        for mount in "/files", "/below":
            gate.put(mount[1:], b"hello", mount=mount)
            link = gate.json("POST", f"{mount}/presign",
                             {"key": mount[1:]}).json["url"]
            equal("bytes", gate.ask("GET", link[link.index(mount):]).body,
                  b"hello")
        with kit.index_of(gate.folder) as index:
            own = sorted(key for (key,) in index.execute(
                "SELECT key FROM object") if key.startswith(b".sluice/"))
        equal("own", own, [b".sluice/encrypt/link-secret",
                           b".sluice/link-secret"])
        names = gate.ask("GET", "/files?prefix=&limit=1").json
        equal("list", [one["key"] for one in names["objects"]], ["below"])


@test
def test_link_of_one_download_is_used_once():
    """The counts of links are listed, read and written below."""
    with Safe() as gate:
        gate.put("a", b"hello")
        made = gate.json("POST", "/files/presign", {"key": "a", "uses": 1})
        target = made.json["url"]
        target = target[target.index("/files/"):]
        equal("first", gate.ask("GET", target).status, 200)
        expect(gate.ask("GET", target).status >= 400, "a second one")


@test
def test_many_are_deleted():
    with Safe() as gate:
        for key in "a", "b", "c":
            gate.put(key, b"hello")
        done = gate.json("POST", "/files/delete", {"keys": ["a", "b", "x"]})
        equal("deleted", sorted(done.json["deleted"]), ["a", "b", "x"])
        equal("delete", gate.ask("DELETE", "/files/object?key=c").status, 200)
        names = gate.ask("GET", "/files?prefix=").json["objects"]
        equal("left", names, [])


@test
def test_upload_by_form_streams():
    data = bytes_of(2 * 1024 * 1024)
    with Safe() as gate:
        answer = gate.ask("POST", "/files", FORM,
                          body=form(file(data), field("prefix", "p")))
        equal("md5", answer.json["md5"], hashlib.md5(data).hexdigest())
        expect(gate.download(answer.json["key"]).body == data, "other bytes")


@test
def test_digest_of_a_form_is_of_the_plain_bytes():
    data = bytes_of(1024 * 1024)
    with Safe() as gate:
        for extra, status in ((b"", 201), (b"x", 400)):
            digest = hashlib.sha256(data + extra).hexdigest()
            answer = gate.ask("POST", "/files", FORM, body=form(
                field("prefix", "p"), file(data), field("sha256", digest)))
            equal("status", answer.status, status)
        equal("code", answer.json["code"], "digest_mismatch")


@test
def test_resumable_upload_isn_t_offered():
    with Safe() as gate:
        answer = gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                          "Upload-Length: 5")
        equal("status", answer.status, 501)


# ---- what was altered ------------------------------------------------------

SEALED = PIECE + 16
LENGTH = 76 + 2 * PIECE + 500 + 3 * 16


def flipped(at):
    return lambda s: s[:at] + bytes([s[at] ^ 1]) + s[at + 1:]


ALTERED = {
    "magic": flipped(0), "key_id": flipped(8), "nonce": flipped(16),
    "wrapped_key": flipped(30), "first_byte": flipped(76),
    "middle": flipped(76 + PIECE // 2), "tag": flipped(76 + PIECE),
    "last_byte": flipped(LENGTH - 1),
    "cut_by_a_byte": lambda s: s[:-1],
    "cut_at_a_piece": lambda s: s[:76 + 2 * SEALED],
    "cut_to_one_piece": lambda s: s[:76 + SEALED],
    "cut_to_the_header": lambda s: s[:76],
    "cut_to_nothing": lambda s: s[:92],
    "prolonged": lambda s: s + s[-100:],
    "piece_twice": lambda s: s[:76 + SEALED] + s[76:],
    "pieces_swapped": lambda s: (s[:76] + s[76 + SEALED:76 + 2 * SEALED] +
                                 s[76:76 + SEALED] + s[76 + 2 * SEALED:]),
    "not_sealed": lambda s: b"plain " * 50}


@each(ALTERED)
def test_altered_object_is_never_sent_whole(alter):
    data = bytes_of(2 * PIECE + 500)
    with Safe() as gate:
        gate.put("k", data)
        sealed = gate.sealed("k")
        equal("length", len(sealed), LENGTH)
        gate.put("k", alter(sealed), mount="/below")
        with gate.wire() as wire:
            wire.send(kit.request("GET", "/files/object?key=k"))
            head = wire.head()
            if head.status == 200:
                length = int(head.header("content-length"))
                while wire.more():
                    pass
                got = wire.input
                expect(len(got) < length, "all of it came")
                expect(data.startswith(got), "bytes that were never stored")
            else:
                equal("status", head.status, 502)
        like("log", " ".join(gate.lines),
             "altered, cut or put together|isn't one that was encrypted|"
             "header was altered|a key that key_file doesn't have")


@test
def test_piece_of_another_object_is_refused():
    with Safe() as gate:
        gate.put("a", bytes_of(100))
        gate.put("b", bytes_of(100))
        a, b = gate.sealed("a"), gate.sealed("b")
        gate.put("a", a[:76] + b[76:], mount="/below")
        expect(gate.get("a").status == 502, "it is sent")


@test
def test_head_of_what_isn_t_sealed_is_502():
    with Safe() as gate:
        gate.put("k", b"plain", mount="/below")
        equal("status", gate.ask("HEAD", "/files/object?key=k").status, 502)
        gate.says("the object isn't one that was encrypted")
        equal("lines", [line for line in gate.lines if "contract" in line], [])


EARLY = '''#include <sluice/plugin.h>
struct conf { const char *over; };
static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct conf, over), "below"},
    {0}};
static struct sluice_ask *latest;
static void get(void *host, struct sluice_op *op,
                const struct sluice_get *get) {
  latest = sluice_ask_get(sluice_store(host, NULL), op, get, NULL, NULL);
}
/* The download that is going on ends, whoever has a chunk of it. */
static void head(void *host, struct sluice_op *op, const char *key) {
  sluice_ask_cancel(latest);
  sluice_ask_head(sluice_store(host, NULL), op, key, NULL, NULL);
}
static const struct sluice_backend early = {
    SLUICE_HEAD(sluice_backend), .name = "early", .version = "1",
    .summary = "of a test", .options = options,
    .conf_size = sizeof(struct conf), .get = get, .head = head};
SLUICE_BACKEND(early, early)
'''


@test
def test_storage_that_ends_early_takes_no_bytes_from_the_client():
    data = bytes_of(32 * 1024 * 1024)
    with tempfile.TemporaryDirectory() as folder:
        kit.built(folder, "early", EARLY)
        more = {"plugin_path": [*kit.PLUGINS, str(folder)],
                "server": {"workers": "1"},
                "backends": {"safe": {"plugin": "encrypt", "over": "mid",
                                      "key_file": key_file(folder, KEY)},
                             "mid": {"plugin": "early", "over": "main"}},
                "routes": ROUTES}
        with Gateway(more) as gate, gate.wire(buffer=4096) as wire:
            gate.ask("PUT", "/files/object?key=k", body=data)
            wire.send(kit.request("GET", "/files/object?key=k"))
            equal("status", wire.head().status, 200)
            gate.ask("HEAD", "/files/object?key=k")
            gate.says(r"'early' breaks the contract: sluice_done\(\) while a "
                      "chunk is lent")
            while wire.more():
                pass
            expect(len(wire.input) < len(data), "all of it came")
            expect(data.startswith(wire.input), "bytes that were never stored")
            equal("lines", [line for line in gate.lines
                            if "'encrypt' breaks" in line], [])


# ---- keys ------------------------------------------------------------------

@test
def test_new_key_seals_and_the_old_one_still_opens():
    with tempfile.TemporaryDirectory() as folder:
        with Safe(KEY, folder=folder) as gate:
            gate.put("old", b"hello")
        with Safe(OTHER, KEY, folder=folder) as gate:
            equal("old", gate.get("old").body, b"hello")
            gate.put("new", b"world")
            like("by", gate.sealed("new")[8:16].hex(), "^(?!" +
                 gate.sealed("old")[8:16].hex() + ")")
        with Safe(OTHER, folder=folder) as gate:
            equal("new", gate.get("new").body, b"world")
            equal("old", gate.get("old").status, 502)
            gate.says("by a key that key_file doesn't have")


MANY = [f"{i:064x}" for i in range(17)]
KEY_FILES = {
    "none": ([], 0o600, "holds no key; write 64 hex digits"),
    "comments": (["# a", ""], 0o600, "holds no key"),
    "short": ([KEY[:-1]], 0o600, ":1: no key; write 64 hex digits"),
    "long": ([KEY + "0"], 0o600, ":1: no key"),
    "no_hex": (["# x", "x" * 64], 0o600, ":2: no key"),
    "twice": ([KEY, KEY.upper()], 0o600, ":2: a key that is there already"),
    "seventeen": (MANY, 0o600, ":17: more than 16 keys"),
    "too_large": (["#" * 4096], 0o600, "no text of at most 4096 bytes"),
    "group": ([KEY], 0o640, "others may read it; chmod 600"),
    "world": ([KEY], 0o604, "others may read it; chmod 600")}


@each(KEY_FILES)
def test_bad_key_file_stops_the_start(case):
    lines, mode, why = case
    with tempfile.TemporaryDirectory() as folder:
        path = key_file(folder, *lines, mode=mode)
        line = refusal({"backends": {"safe": {
            "plugin": "encrypt", "over": "main", "key_file": path}}}, why)
        expect(KEY[:-1] not in line, "the key is told")


@test
def test_missing_key_file_stops_the_start():
    refusal({"backends": {"safe": {"plugin": "encrypt", "over": "main",
                                   "key_file": "/nowhere/key"}}},
            "/nowhere/key: No such file or directory; make it by `openssl")


@test
def test_sixteen_keys_are_taken():
    with Safe(*MANY[:16]) as gate:
        gate.put("k", b"hello")
        equal("bytes", gate.get("k").body, b"hello")


# ---- the page --------------------------------------------------------------

@test
def test_vectors_of_the_page_hold():
    """The gateway serves what the page says, and so does the reader."""
    kit.needs(unseal, "no python3-cryptography")
    page = (SOURCES / "docs/encrypted-objects.md").read_text()
    found = re.findall(r"((?:^    [0-9a-f]+\n)+)", page, re.M)
    empty, hello, digest = ["".join(one.split()) for one in found]
    key = bytes(range(32))
    with Safe(key.hex()) as gate:
        for sealed, plain in ((empty, b""), (hello, b"hello\n")):
            sealed = bytes.fromhex(sealed)
            equal("reader", unseal.unsealed(sealed, [key]), plain)
            gate.put("k", sealed, mount="/below")
            equal("gateway", gate.get("k").body, plain)
        data = bytes(i % 251 for i in range(65537))
        sealed = unseal.sealed_by(data, key, bytes(range(32, 64)),
                                  bytes(range(64, 76)))
        equal("digest", hashlib.sha256(sealed).hexdigest(), digest)
        gate.put("k", sealed, mount="/below")
        expect(gate.get("k").body == data, "other bytes")


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("encrypt.yaml"),
                       lambda folder: key_file(folder, KEY))


if __name__ == "__main__":
    kit.main()
