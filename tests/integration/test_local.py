#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The local backend from the outside: what survives, what is refused, what
is left behind."""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from kit import (FORM, MIB, Gateway, equal, eventually,  # noqa: E402
                 expect, faulty, field, file, form, head, large_form, like,
                 main, md5, needs, refusal, request, test)
from oracle.client import Client  # noqa: E402
from oracle.objects import Objects  # noqa: E402


def files_below(folder):
    return sorted(str(path.relative_to(folder))
                  for path in Path(folder).rglob("*") if path.is_file())


def bytes_below(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*")
               if path.is_file())


@test
def test_everything_is_there_after_a_new_start():
    names = {"a.txt": b"a", "große Datei.bin": bytes(range(256)) * 9000,
             "empty": b"", "日本語.html": b"<p>"}
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            keys = {name: gateway.upload(data, name)["key"]
                    for name, data in names.items()}
            gone = gateway.upload(b"gone")["key"]
            gateway.delete(gone)
            before = {key: gateway.download(key) for key in keys.values()}
            listed = gateway.list("")
        with Gateway(folder=folder) as gateway:
            equal("list", gateway.list(""), listed)
            equal("what was deleted", gateway.download(gone).status, 404)
            for name, key in keys.items():
                answer = gateway.download(key)
                equal("body", md5(answer.body), md5(names[name]))
                for header in ("etag", "content-type", "last-modified",
                               "content-disposition"):
                    equal(header, answer.header(header),
                          before[key].header(header))


def machine_has_a_name():
    """A new Debian's first boot makes it, so one that never was booted has
    none; cursors are then good until the gateway ends."""
    try:
        return len(Path("/etc/machine-id").read_text().strip()) >= 32
    except OSError:
        return False


@test
def test_cursor_is_good_after_a_new_start():
    needs(machine_has_a_name(), "no /etc/machine-id")
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            keys = sorted(gateway.upload()["key"] for _ in range(5))
            page = gateway.list(limit=2)
        with Gateway(folder=folder) as gateway:
            rest = gateway.list(cursor=page["next_cursor"])
        equal("keys", [thing["key"] for thing in
                       page["objects"] + rest["objects"]], keys)


@test
def test_object_that_was_acknowledged_survives_a_kill():
    oracle = Objects()
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(folder=folder)
        with Client(oracle, gateway.url, "one") as client:
            keys = [client.upload(b"%d" % at) for at in range(20)]
            client.delete(keys[0])
        gateway.kill()
        oracle.settle()
        with Gateway(folder=folder) as gateway, \
                Client(oracle, gateway.url, "two") as client:
            equal("listed", client.read_all(), sorted(keys[1:]))


@test
def test_upload_that_a_kill_cut_leaves_nothing():
    before, _, length = large_form(8 * MIB)
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(folder=folder)
        with gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM,
                           f"Content-Length: {length}") + before +
                      b"x" * 4 * MIB)
            gateway.alive()
            gateway.kill()
        with Gateway(folder=folder) as gateway:
            equal("keys", gateway.keys(""), [])
            eventually("bytes that went", lambda:
                       bytes_below(Path(folder, "data")) < MIB)


@test
def test_second_gateway_on_the_same_directory_is_refused():
    with Gateway() as gateway:
        line = refusal({}, r"/data\b", r"in use", folder=gateway.folder)
        like("who it is", line, str(gateway.pid))
        gateway.upload()


@test
def test_directory_by_another_name_is_the_same_directory():
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        link.symlink_to(Path(gateway.folder, "data"))
        refusal({"backends": {"main": {"directory": str(link)}}}, "in use")


@test
def test_directory_is_free_again_after_a_kill():
    with tempfile.TemporaryDirectory() as folder:
        Gateway(folder=folder).kill()
        with Gateway(folder=folder) as gateway:
            gateway.upload()


def damaged(folder, damage):
    """A directory with an object, whose index was then damaged."""
    with Gateway(folder=folder) as gateway:
        for at in range(50):
            gateway.upload(b"%d" % at)
        gateway.upload(bytes(2 * MIB))
    index = Path(folder, "data", "index.db")
    expect(index.exists(), f"no index.db in {files_below(folder)}")
    damage(index)


@test
def test_index_that_is_no_database_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder, lambda index: index.write_bytes(b"no database" * 999))
        refusal({}, r"index\.db", folder=folder)
        equal("it afterwards", Path(folder, "data", "index.db").read_bytes(),
              b"no database" * 999)


@test
def test_index_with_holes_is_refused():
    def damage(index):
        data = bytearray(index.read_bytes())
        data[4096:] = b"\xee" * (len(data) - 4096)
        index.write_bytes(data)
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder, damage)
        refusal({}, r"index\.db", folder=folder)


@test
def test_index_that_was_cut_is_refused():
    def damage(index):
        index.write_bytes(index.read_bytes()[:3 * 4096 + 100])
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder, damage)
        refusal({}, r"index\.db", folder=folder)


@test
def test_index_that_is_missing_beside_blobs_is_refused():
    """An empty index would make the sweep delete all that is there."""
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder, lambda index: index.unlink())
        blobs = files_below(Path(folder, "data", "blobs"))
        refusal({}, r"index\.db|index", folder=folder)
        equal("blobs", files_below(Path(folder, "data", "blobs")), blobs)


@test
def test_index_of_a_newer_gateway_is_refused():
    def damage(index):
        with contextlib.closing(sqlite3.connect(index)) as base:
            base.execute("PRAGMA user_version = 99999")
            base.commit()
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder, damage)
        refusal({}, r"newer|version|format", folder=folder)


@test
def test_files_that_are_not_the_gateways_stay():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            gateway.upload()
        Path(folder, "data", "README").write_text("mine")
        with Gateway(folder=folder) as gateway:
            gateway.upload()
        equal("file", Path(folder, "data", "README").read_text(), "mine")


@test
def test_nobody_else_may_read_the_directory():
    with Gateway() as gateway:
        gateway.upload()
        for path in [Path(gateway.folder, "data"),
                     *Path(gateway.folder, "data").rglob("*")]:
            mode = path.stat().st_mode
            expect(mode & 0o007 == 0, f"{path} has the mode {mode:o}")


@test
def test_blob_that_vanished_is_no_success():
    """Whoever deletes below the gateway gets an error, not an empty 200."""
    with Gateway() as gateway:
        precious = b"precious" * 50_000
        key = gateway.upload(precious)["key"]
        other = gateway.upload(b"other")["key"]
        blobs = Path(gateway.folder, "data", "blobs")
        for name in files_below(blobs):
            if (blobs / name).read_bytes().startswith(precious):
                (blobs / name).unlink()
        status = gateway.download(key).status
        expect(status >= 404, f"status {status}")
        equal("another", gateway.download(other).body, b"other")


@test
def test_download_survives_the_delete_of_its_object():
    data = bytes(range(256)) * 65536
    with Gateway() as gateway:
        key = gateway.upload(data)["key"]
        with gateway.wire(buffer=65536) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            gateway.delete(key)
            equal("md5", wire.digest(len(data)), md5(data))
        equal("afterwards", gateway.download(key).status, 404)
        eventually("bytes that went", lambda:
                   bytes_below(Path(gateway.folder, "data")) < len(data))


@test
def test_uploads_at_once_have_each_its_own_md5():
    """Their chunks wait for one thread, which hashes them together."""
    noise = os.urandom(5 * MIB)
    bodies = [noise[at:at + MIB + at * 65537] for at in range(48)]
    with Gateway({"limits": {"threads": "1"}}) as gateway, \
            ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(gateway.upload, bodies))
    for body, answer in zip(bodies, answers):
        equal("length", answer["size_bytes"], len(body))
        equal("md5", answer["md5"], md5(body))


@test
def test_bit_that_flipped_in_the_index_is_not_served():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            key = gateway.upload(b"precious" * 100)["key"]
            other = gateway.upload(b"other" * 100)["key"]
        index = Path(folder, "data", "index.db")
        data = bytearray(index.read_bytes())
        at = data.find(b"precious" * 20)
        expect(at > 0, "the object isn't in the index")
        data[at + 80] ^= 2
        index.write_bytes(data)
        with Gateway(folder=folder) as gateway:
            equal("status", gateway.download(key).status, 500)
            gateway.says(f'damaged.*restore or remove "{key}"')
            equal("another", gateway.download(other).body, b"other" * 100)
            gateway.delete(key)


def contents(folder):
    """The bytes of each file, as far as they are an upload of below."""
    return sorted(path.read_bytes()[:40_000]
                  for path in Path(folder).rglob("*")
                  if path.is_file() and path.stat().st_size >= 40_000)


@test
def test_older_index_put_back_keeps_the_blobs_that_are_newer():
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        names = ("index.db", "index.db-wal")
        first = [b"%02d" % at * 20_000 for at in range(20)]
        later = [b"%02d" % at * 20_000 for at in range(20, 40)]
        gateway = Gateway(folder=folder)
        keys = [gateway.upload(body)["key"] for body in first]
        for name in names:
            shutil.copy(data / name, Path(folder, name))
        for body in later:
            gateway.upload(body)
        gateway.kill()
        for name in names:
            os.replace(Path(folder, name), data / name)
        with Gateway(folder=folder) as gateway:
            for key, body in zip(keys, first):
                equal("object", gateway.download(key).body, body)
            equal("blobs", contents(data / "blobs"), first)
            equal("lost and found", contents(data / "lost+found"), later)
            gateway.says(r" 20 blobs that the index doesn't know were moved "
                         r"to .*/data/lost\+found")
            gateway.upload(later[0])


# ---- a full disk -----------------------------------------------------------

@contextlib.contextmanager
def small_disk(size):
    needs(os.geteuid() == 0 and shutil.which("mount"), "needs root")
    folder = tempfile.mkdtemp(prefix="sluice-test-")
    try:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                               "tmpfs", folder], check=False,
                              capture_output=True)
        needs(made.returncode == 0, "may not mount")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def on(disk):
    return {"backends": {"main": {"directory": str(disk / "data")}}}


@test
def test_upload_to_a_full_disk_is_507_and_leaves_nothing():
    with small_disk("8m") as disk, Gateway(on(disk)) as gateway:
        gateway.upload()
        used = shutil.disk_usage(disk).used
        answer = gateway.ask("POST", "/files", FORM, body=form(
            field("prefix", "t"), file(b"x" * 12 * MIB)))
        equal("status", answer.status, 507)
        equal("keys", len(gateway.keys("")), 1)
        eventually("room that is back", lambda:
                   shutil.disk_usage(disk).used < used + MIB)
        gateway.upload(b"y" * MIB)


@test
def test_disk_that_fills_up_is_507_and_everything_acknowledged_stays():
    """Small objects until the index itself can't grow."""
    with small_disk("3m") as disk, \
            tempfile.TemporaryDirectory() as folder:
        oracle = Objects()
        with Gateway(on(disk), folder=folder) as gateway, \
                Client(oracle, gateway.url, "one", faulty=True) as client:
            keys = []
            while len(keys) < 3000 and \
                    (key := client.upload(b"%d" % len(keys) * 500)):
                keys.append(key)
            expect(len(keys) < 3000, "the disk didn't fill up")
            for key in keys[::50]:
                client.get(key)
            for key in keys[:20]:
                equal("deleted", client.delete(key), 200)
            eventually("room for an upload", lambda: client.upload(b"again"))
        with Gateway(on(disk), folder=folder) as gateway, \
                Client(oracle, gateway.url, "two") as client:
            expect(set(keys[20:]) < set(client.read_all()), "one is missing")


@test
def test_32_uploads_to_a_full_disk_all_end():
    before, after, length = large_form(MIB)
    whole = (head("POST", "/files", FORM, f"Content-Length: {length}") +
             before + b"z" * MIB + after)
    with small_disk("12m") as disk, Gateway(on(disk)) as gateway:
        wires = [gateway.wire() for _ in range(32)]
        for wire in wires:
            wire.send(whole)
        statuses = [wire.answer().status for wire in wires]
        for wire in wires:
            wire.close()
        equal("statuses", set(statuses) - {201, 507}, set())
        equal("keys", len(gateway.keys("")), statuses.count(201))
        for key in gateway.keys(""):
            equal("size", len(gateway.download(key).body), MIB)


def ready(gateway, status):
    """Waits for that answer; readyz asks the storage once a second."""
    eventually(f"readyz is {status}", lambda: gateway.ask(
        "GET", "/readyz").status == status)


# ---- a disk that fails ------------------------------------------------------

@test
def test_disk_that_fails_once_makes_it_read_only_until_a_restart():
    with tempfile.TemporaryDirectory() as folder:
        switch = Path(folder, "fails")
        env = {"LD_PRELOAD": str(faulty()), "FAULTY_DISK": str(switch),
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
               ":verify_asan_link_order=0"}
        with Gateway(folder=folder, env=env) as gateway:
            small = gateway.upload(b"small")["key"]
            large = gateway.upload(b"l" * MIB)["key"]
            ready(gateway, 200)
            switch.touch()
            equal("the first", post(gateway, b"first"), 500)
            switch.unlink()
            for size in (5, MIB):
                equal("upload", post(gateway, b"x" * size), 503)
            answer = gateway.json("DELETE", "/files", {"key": small})
            equal("delete", answer.status, 503)
            ready(gateway, 503)
            equal("small", gateway.download(small).body, b"small")
            equal("large", gateway.download(large).body, b"l" * MIB)
            equal("list", len(gateway.keys("t")), 2)
            said = [line for line in gateway.lines if "from now on" in line]
            equal("lines", len(said), 1)
            like("it", said[0], r" error \[.*read-only.*Input/output error"
                                r".*restart the gateway")
        with Gateway(folder=folder, env=env) as gateway:
            ready(gateway, 200)
            equal("small", gateway.download(small).body, b"small")
            equal("large", gateway.download(large).body, b"l" * MIB)
            gateway.upload(b"new")
            gateway.delete(small)


def post(gateway, data):
    """The status of an upload."""
    return gateway.ask("POST", "/files", FORM, body=form(
        field("prefix", "t"), file(data))).status


@test
def test_deleted_object_is_gone_on_every_loop_at_once():
    """However often each loop was asked for it, and remembers it."""
    with Gateway({"server": {"workers": "4"}}) as gateway:
        for size in (0, 1, 4096):
            keys = [gateway.upload(b"x" * size)["key"] for _ in range(20)]
            for key in keys:
                for _ in range(8):  # a connection each: some loop
                    equal("there", gateway.download(key).status, 200)
                gateway.delete(key)
                for _ in range(8):
                    equal("gone", gateway.download(key).status, 404)


@test
def test_directory_that_went_away_is_not_ready():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            ready(gateway, 200)
            os.rename(Path(folder, "data"), Path(folder, "elsewhere"))
            ready(gateway, 503)
            equal("healthz", gateway.ask("GET", "/healthz").status, 200)
            equal("small upload", post(gateway, b"x"), 503)
            equal("large upload", post(gateway, bytes(MIB)), 503)
            gateway.says("removed, replaced or unmounted")
            os.rename(Path(folder, "elsewhere"), Path(folder, "data"))
            ready(gateway, 200)
            equal("upload", post(gateway, b"x"), 201)


@test
def test_store_that_is_deleted_takes_no_upload():
    with tempfile.TemporaryDirectory() as folder, \
            Gateway(folder=folder) as gateway:
        gateway.upload(b"there")
        shutil.rmtree(Path(folder, "data"))
        equal("small upload", post(gateway, b"x"), 503)
        equal("large upload", post(gateway, bytes(MIB)), 503)
        ready(gateway, 503)


@test
def test_new_store_is_told_and_can_be_forbidden():
    strict = {"backends": {"main": {"create": "false"}}}
    with tempfile.TemporaryDirectory() as folder:
        refusal(strict, r"/data\b", "isn't there", "create: true",
                folder=folder)
        with Gateway(folder=folder) as gateway:
            gateway.says("a new store was made in .*/data")
            key = gateway.upload(b"there")["key"]
        with Gateway(strict, folder=folder) as gateway:
            equal("object", gateway.download(key).body, b"there")
        os.rename(Path(folder, "data"), Path(folder, "elsewhere"))
        Path(folder, "data").mkdir()
        refusal(strict, r"/data\b", "holds no store", "mount",
                folder=folder)


if __name__ == "__main__":
    main()
