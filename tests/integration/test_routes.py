#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This tells which path leads where: several backends, mounts, single
routes."""
import json
import tempfile
from urllib.parse import urlsplit

from kit import (FORM, Gateway, each, equal, expect, field, file, form, head,
                 like, main, refusal, test)

JSON = "Content-Type: application/json"


def two(folder_of="second"):
    """main on /files, a directory of its own on /archive."""
    return {"backends": {"archive": {"plugin": "local",
                                     "directory": folder_of}},
            "routes": [{"mount": "/files", "backend": "main"},
                       {"mount": "/archive/old", "backend": "archive"}]}


class Two(Gateway):
    def __init__(self, **more):
        self.second = tempfile.TemporaryDirectory(prefix="sluice-test-")
        super().__init__({**two(self.second.name), **more})

    def remove(self):
        super().remove()
        self.second.cleanup()


def methods(answer):
    return {word.strip() for word in (answer.header("allow") or "").split(",")}


def allows(gateway, method, path, *want):
    answer = gateway.ask(method, path)
    equal(f"status of {method} {path}", answer.status, 405)
    got = methods(answer)
    expect(set(want) <= got, f"Allow of {path} is {got}, not {want}")
    expect(method not in got, f"Allow of {path} has {method}")


@test
def test_backends_keep_apart_what_they_hold():
    with Two() as gateway:
        one = gateway.upload(b"one", mount="/files")["key"]
        two_ = gateway.upload(b"two", mount="/archive/old")["key"]
        equal("keys of the first", gateway.keys("", "/files"), [one])
        equal("keys of the second", gateway.keys("", "/archive/old"), [two_])
        equal("first", gateway.download(one).body, b"one")
        equal("second", gateway.download(two_, mount="/archive/old").body,
              b"two")
        equal("first in the second", gateway.download(
            one, mount="/archive/old").status, 404)
        gateway.delete(one, mount="/archive/old")
        equal("first afterwards", gateway.download(one).status, 200)


@test
def test_location_and_link_of_an_upload_lead_to_its_own_mount():
    with Two() as gateway:
        for mount in "/files", "/archive/old":
            answer = gateway.ask("POST", mount, FORM,
                                 body=form(file(mount.encode())))
            equal("status", answer.status, 201)
            like("Location", answer.header("location"),
                 rf"\A{mount}/download\?key=")
            where = urlsplit(answer.json["download_url"])
            for target in (answer.header("location"),
                           f"{where.path}?{where.query}"):
                got = gateway.ask("GET", target)
                equal(f"what {target} gives", (got.status, got.body),
                      (200, mount.encode()))


@test
def test_link_of_one_backend_opens_nothing_of_another():
    with Two() as gateway:
        where = urlsplit(gateway.upload()["download_url"])
        path = where.path.replace("/files", "/archive/old", 1)
        expect(path != where.path, f"the link's path is {where.path}")
        answer = gateway.ask("GET", f"{path}?{where.query}")
        expect(answer.status in (403, 404), f"status {answer.status}")


def paths():
    known = {"/": 404, "/file": 404, "/files/": 404, "/files/x": 404,
             "/filesx": 404, "/Files": 404, "/archive": 404,
             "/archive/old/": 404, "/archive/old/download/": 404,
             "/files%2Fdownload": 404, "//files": 404, "/files?": 200,
             "/healthz": 200, "/readyz": 200, "/healthz/": 404}
    return {path: (path, status) for path, status in known.items()}


@each(paths())
def test_paths_are_exact(case):
    path, status = case
    with Two() as gateway:
        equal(f"status of {path}", gateway.ask("GET", path).status, status)


@test
def test_known_path_with_another_method_is_405_with_allow():
    with Two() as gateway:
        for mount in "/files", "/archive/old":
            allows(gateway, "PUT", mount, "GET", "POST", "DELETE")
            allows(gateway, "PATCH", mount, "GET", "POST", "DELETE")
            allows(gateway, "GET", f"{mount}/presign", "POST")
            allows(gateway, "POST", f"{mount}/download", "GET", "HEAD")
            allows(gateway, "DELETE", f"{mount}/download", "GET", "HEAD")
        allows(gateway, "POST", "/healthz", "GET")
        allows(gateway, "DELETE", "/readyz", "GET")


@test
def test_unknown_method_is_405_or_501():
    with Two() as gateway:
        for method in "BREW", "TRACE", "CONNECT", "get":
            with gateway.wire() as wire:
                wire.send(head(method, "/files"))
                answer = wire.answer()
                expect(answer.status in (400, 405, 501),
                       f"{method} gives {answer.status}")


SINGLE = {"routes": [
    {"path": "/in", "method": "PUT", "operation": "upload",
     "backend": "main"},
    {"path": "/in", "method": "GET", "operation": "list", "backend": "main"},
    {"path": "/out/now", "method": "GET", "operation": "download",
     "backend": "main"},
    {"path": "/link", "method": "POST", "operation": "presign",
     "backend": "main"},
    {"path": "/gone", "method": "POST", "operation": "delete",
     "backend": "main"}]}


@test
def test_single_routes_have_their_own_paths_and_methods():
    with Gateway(SINGLE) as gateway:
        answer = gateway.ask("PUT", "/in", FORM,
                             body=form(field("prefix", "t"), file(b"in")))
        equal("status of the upload", answer.status, 201)
        key = answer.json["key"]
        equal("list", [thing["key"] for thing in gateway.ask(
            "GET", "/in?prefix=t").json["objects"]], [key])
        equal("download", gateway.ask("GET", f"/out/now?key={key}").body,
              b"in")
        link = gateway.json("POST", "/link", {"key": key})
        equal("status of the link", link.status, 200)
        where = urlsplit(link.json["url"])
        equal("what the link gives", gateway.ask(
            "GET", f"{where.path}?{where.query}").body, b"in")
        equal("delete", gateway.json("POST", "/gone", {"key": key}).json,
              {"deleted": key})
        equal("download afterwards",
              gateway.ask("GET", f"/out/now?key={key}").status, 404)


@test
def test_location_of_a_single_route_upload_is_right_or_absent():
    """It leads to the download of the same backend, where there is one."""
    with Gateway(SINGLE) as gateway:
        answer = gateway.ask("PUT", "/in", FORM, body=form(file(b"in")))
        location = answer.header("location")
        if location is not None:
            equal("what Location gives", gateway.ask("GET", location).body,
                  b"in")


@test
def test_single_routes_know_no_other_path_or_method():
    with Gateway(SINGLE) as gateway:
        allows(gateway, "POST", "/in", "GET", "PUT")
        allows(gateway, "DELETE", "/out/now", "GET")
        allows(gateway, "GET", "/gone", "POST")
        equal("status of /files", gateway.ask("GET", "/files").status, 404)


@test
def test_mount_at_the_root_has_its_endpoints_there():
    with Gateway({"routes": [{"mount": "/", "backend": "main"}]}) as gateway:
        answer = gateway.ask("POST", "/", FORM, body=form(file(b"root")))
        equal("status of the upload", answer.status, 201)
        key = answer.json["key"]
        like("Location", answer.header("location"), r"\A/download\?key=")
        equal("list", [thing["key"] for thing in gateway.ask(
            "GET", "/").json["objects"]], [key])
        equal("download", gateway.ask("GET", f"/download?key={key}").body,
              b"root")
        where = urlsplit(gateway.json("POST", "/presign",
                                      {"key": key}).json["url"])
        equal("link", gateway.ask("GET", f"{where.path}?{where.query}").body,
              b"root")
        gateway.alive()
        equal("delete", gateway.json("DELETE", "/", {"key": key}).status,
              200)


@each({
    "same_mount": [{"mount": "/files", "backend": "main"},
                   {"mount": "/files", "backend": "main"}],
    "mount_and_path": [{"mount": "/files", "backend": "main"},
                       {"path": "/files", "method": "POST",
                        "operation": "upload", "backend": "main"}],
    "health": [{"path": "/healthz", "method": "GET", "operation": "list",
                "backend": "main"}],
})
def test_two_routes_of_the_same_path_and_method_are_refused(routes):
    refusal({"routes": routes}, r"sluice\.yaml:\d+", "/files|/healthz")


@each({"operation": {"path": "/a", "method": "GET", "operation": "read"},
       "method": {"path": "/a", "method": "GE T", "operation": "list"},
       "both": {"mount": "/a", "path": "/b", "method": "GET",
                "operation": "list"},
       "no_operation": {"path": "/a", "method": "GET"},
       "no_path": {"method": "GET", "operation": "list"}})
def test_route_that_makes_no_sense_is_refused(route):
    refusal({"routes": [{**route, "backend": "main"}]},
            r"sluice\.yaml:\d+")


@test
def test_same_directory_for_two_backends_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        refusal(two(f"{folder}/./data"), "data", folder=folder)


@test
def test_json_body_with_a_key_twice_or_deep_is_no_trap():
    with Gateway() as gateway:
        for body in (b'{"key": "a", "key": "b"}', b"[" * 30_000,
                     b'{"key":' * 5000, json.dumps({"key": "a\0b"}).encode()):
            answer = gateway.ask("DELETE", "/files", JSON, body=body)
            expect(answer.status in (200, 400), f"status {answer.status}")
        gateway.alive()


if __name__ == "__main__":
    main()
