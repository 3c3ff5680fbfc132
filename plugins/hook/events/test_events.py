#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The receiver of the hook events gets what happened, signed."""
import tempfile

from eventskit import (SECRET, each_folder, gateway, heard, hook, send_upload,
                       snippet)
from kit import FORM, Gateway, each, equal, expect, like, main, md5
from service import Service, say


@each_folder
def test_upload_and_delete_are_told(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        made = gate.upload(b"12345", "q 3é.pdf", kind="application/pdf")
        first = service.count(1)[0]
        gate.delete(made["key"])
        second = service.count(2)[1]
        for asked in (first, second):
            equal("line", (asked.method, asked.target), ("POST", "/hear"))
            equal("type", asked.header("Content-Type"), "application/json")
        event, later = heard(service)
        like("id", event["id"], r"\A[0-9a-f]{32}\Z")
        equal("id", first.header("X-Sluice-Event-Id"), event["id"])
        like("time", event["time"], r"\A20\d\d-\d\d-\d\dT[\d:]{8}\+00:00\Z")
        like("request", event["request_id"], r"\A[0-9a-f]{32}\Z")
        for name in ("id", "time", "request_id", "traceparent"):
            expect(event.pop(name) and later.pop(name), name)
        equal("upload", event, {
            "type": "object.uploaded", "key": made["key"],
            "backend": "main", "size_bytes": 5,
            "content_type": "application/pdf", "md5": md5(b"12345"),
            "filename": made["filename"], "uploaded_by": "anonymous"})
        equal("delete", later, {"type": "object.deleted", "backend": "main",
                                "key": made["key"]})


@each_folder
def test_event_names_the_backend_that_a_hook_chose(folder):
    with Service() as service, Gateway({
            "hooks": [{"plugin": "choicehook"}, hook(folder, service.url)],
            "backends": {"other": {"plugin": "local", "directory":
                                   f"{folder}/other"}}},
            folder=folder) as gate:
        for lines in (), ("X-Backend: other",):
            gate.ask("PUT", "/files/object?key=t/a", *lines, body=b"x")
            gate.ask("DELETE", "/files/object?key=t/a", *lines)
        service.count(4)
        equal("told", sorted((event["backend"], event["type"])
                             for event in heard(service)),
              [("main", "object.deleted"), ("main", "object.uploaded"),
               ("other", "object.deleted"), ("other", "object.uploaded")])


@each_folder
def test_identity_that_a_hook_established_is_told(folder):
    with Service(say(200, "X-User: änn")) as service, Service() as receiver:
        auth = {"plugin": "auth_request", "url": service.url,
                "identity_header": "X-User"}
        with Gateway({"hooks": [auth, hook(folder, receiver.url)]},
                     folder=folder) as gate:
            made = gate.upload()
            gate.delete(made["key"])
            receiver.count(2)
            equal("who", [(event["identity"], event.get("uploaded_by"))
                          for event in heard(receiver)],
                  [("änn", "änn"), ("änn", None)])


@each_folder
def test_claimed_user_is_no_identity(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        send_upload(gate, "a", b"", "X-User-Id: eve", "X-Request-Id: r-1")
        service.count(1)
        event, = heard(service)
        equal("who", (event.get("identity"), event["uploaded_by"],
                      event["request_id"]), (None, "eve", "r-1"))


@each_folder
def test_what_changes_nothing_is_not_told(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        made = gate.upload()
        gate.download(made["key"])
        gate.list()
        gate.json("POST", "/files/presign", {"key": made["key"]})
        gate.ask("POST", "/files", FORM, body=b"nonsense")
        gate.json("DELETE", "/files", {"key": ""})
        gate.delete(made["key"])
        service.count(2)
        equal("types", [event["type"] for event in heard(service)],
              ["object.uploaded", "object.deleted"])


@each({"uploads": ("object.uploaded", 1), "deletes": ("object.deleted", 1)})
def test_only_chosen_events_are_sent(case):
    name, _ = case
    with tempfile.TemporaryDirectory() as folder, Service() as service, \
            gateway(service, folder=folder, events=[name]) as gate:
        gate.delete(gate.upload()["key"])
        gate.delete(gate.upload()["key"])
        service.count(2)
        gate.stop()
        equal("types", [event["type"] for event in heard(service)],
              [name] * 2)


@each_folder
def test_signature_verifies_as_the_man_page_says(folder):
    verify = snippet()
    with Service() as service, gateway(service, folder=folder) as gate:
        gate.upload(name="é\u2028.txt")
        asked = service.count(1)[0]
        signature = asked.header("X-Sluice-Signature")
        expect(verify(SECRET, signature, asked.body), "it doesn't verify")
        expect(not verify(SECRET + "x", signature, asked.body), "any secret")
        expect(not verify(SECRET, signature, asked.body + b" "), "any body")
        expect(not verify(SECRET, signature.replace("t=1", "t=2"),
                          asked.body), "any time")
        old = signature.replace("t=", "t=-")
        expect(not verify(SECRET, old, asked.body), "an old one")


main()
