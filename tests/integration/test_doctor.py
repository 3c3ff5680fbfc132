#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice doctor`: over a real Ceph, over the emulator and over `local`, well
and with one fault each: it names the step that fails and what to change, and
leaves nothing behind."""
import atexit
import json
import tempfile
from pathlib import Path

from bucket import BUCKET, Emulator, backend
from kit import (SLOWNESS, Gateway, each, equal, expect, free_port, like, main,
                 run, settings, test, written)
from s3.kit import Rgw

SERVER = []
SECONDS = 60 * SLOWNESS


def ceph():
    """One server for all tests of this program."""
    if not SERVER:
        SERVER.append(Rgw())
        atexit.register(SERVER[0].stop)
        SERVER[0].create(BUCKET)
    return SERVER[0]


def doctor(sections, *words):
    """Its exit status, and what it found by the step's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, sections))
        status, out, err = run("doctor", "-c", path, "--json", *words,
                               seconds=SECONDS)
    expect(out, f"it says nothing: {err}")
    said = json.loads(out)
    equal("ok", said["ok"], status == 0)
    return status, {check["check"]: check
                    for entry in said["backends"] for check in
                    sorted(entry["checks"], key=lambda check:
                           check["result"] == "fail")}


def over(s3, bucket=BUCKET, **options):
    return {"backends": {"main": backend(s3, bucket, **options)}}


def results(found, *names):
    return {name: found[name]["result"] for name in names}


def left(s3):
    answer = s3.client().ask("GET", f"/{BUCKET}?prefix=.sluice%2Fdoctor")
    equal("status of a list", answer.status, 200)
    expect(b"<Key>" not in answer.body, "objects are left")


@test
def test_a_ceph_is_well():
    s3 = ceph()
    status, found = doctor(over(s3))
    equal("exit status and steps", (status, results(
        found, "tcp", "clock", "dialect", "start", "put", "head", "get",
        "range", "list", "copy", "stage", "presign", "link", "region",
        "delete", "delete-many")),
        (0, dict.fromkeys(("tcp", "clock", "dialect", "start", "put", "head",
                           "get", "range", "list", "copy", "stage", "presign",
                           "link", "region", "delete", "delete-many"),
                          "ok")))
    like("versioning", found["versioning"]["text"], "^off")
    like("addressing", found["addressing"]["text"], "^path")
    left(s3)


def deny_deleting(s3, effect):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
         "Resource": f"arn:aws:s3:::{BUCKET}/.sluice/doctor/*"}]}
    if effect:
        answer = s3.client().ask("PUT", f"/{BUCKET}?policy=",
                                 body=json.dumps(policy).encode())
    else:
        answer = s3.client().ask("DELETE", f"/{BUCKET}?policy=")
    expect(answer.status in (200, 204), f"policy: {answer.status}")


FAULTS = {
    "secret_key": ({"secret_key": "wrong"}, "start", "secret_key"),
    "access_key": ({"access_key": "NOBODY"}, "start", "access_key"),
    "bucket": ({"bucket": "no-such-bucket"}, "start", "create it"),
    "host": ({"endpoint": "http://no-such-host.invalid"}, "dns",
             "no-such-host.invalid"),
    "port": ({"endpoint": f"http://127.0.0.1:{free_port()}"}, "tcp",
             "Connection refused"),
    "link_host": ({"presign_endpoint": "http://127.0.0.1:"
                   f"{free_port()}"}, "link", "Connection refused"),
}


@each(FAULTS)
def test_a_fault_is_found_at_a_ceph(case):
    options, step, text = case
    s3 = ceph()
    status, found = doctor(over(s3, **options))
    equal("exit status", status, 1)
    equal("the step", found[step]["result"], "fail")
    like("its text", found[step]["text"], text)
    left(s3)
    answer = s3.client().ask("HEAD", "/no-such-bucket")
    equal("status of a bucket that it must not make", answer.status, 404)


@test
def test_the_right_to_delete_is_found_missing_at_a_ceph():
    s3 = ceph()
    deny_deleting(s3, True)
    try:
        status, found = doctor(over(s3))
    finally:
        deny_deleting(s3, False)
    equal("exit status", status, 1)
    equal("put, delete", results(found, "put", "delete"),
          {"put": "ok", "delete": "fail"})
    names = s3.client().ask("GET", f"/{BUCKET}?prefix=.sluice%2Fdoctor")
    expect(b"<Key>" in names.body, "it was deleted all the same")


@test
def test_another_region_is_named():
    with Emulator("aws", region="eu-west-1") as s3:
        s3.create(BUCKET)
        status, found = doctor(over(s3, region="us-east-1"))
    equal("exit status", status, 0)
    equal("region", found["region"]["result"], "warn")
    like("its text", found["region"]["text"], "service's is eu-west-1")


@each({"behind": 3600, "ahead": -3600})
def test_a_clock_that_is_wrong_is_found(offset):
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        s3.clock(offset)
        status, found = doctor(over(s3))
    equal("exit status", status, 1)
    equal("clock", found["clock"]["result"], "fail")
    like("its text", found["clock"]["text"],
         "behind" if offset > 0 else "ahead")


@test
def test_a_plugin_of_another_service_is_found():
    status, found = doctor(over(ceph(), plugin="minio"))
    equal("dialect", found["dialect"]["result"], "warn")
    like("its text", found["dialect"]["text"], "plugin ceph")
    expect(status in (0, 1), "it ended otherwise")


@test
def test_a_storage_that_could_do_more_is_asked_to():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        status, found = doctor(over(s3, conditional_put="false"))
        equal("exit status", status, 0)
        equal("conditional_put", found["conditional_put"]["result"], "warn")
        equal("conditional_delete", found["conditional_delete"]["result"],
              "ok")
        equal("objects that are left",
              [key for key in s3.state(BUCKET)["objects"]
               if not key.startswith(".sluice/stages/")], [])


@test
def test_local_and_its_public_url():
    with Gateway() as gateway:
        for url, result in (gateway.url, "ok"), (
                f"http://127.0.0.1:{free_port()}", "fail"):
            status, found = doctor({"server": {"public_url": url}})
            equal("public_url", found["public_url"]["result"], result)
            equal("exit status", status, 0 if result == "ok" else 1)
            equal("put", found["put"]["result"], "ok")


@test
def test_a_store_that_is_served_is_said_to_be():
    with Gateway() as gateway:
        status, found = doctor({"backends": {"main": {
            "directory": str(Path(gateway.folder, "data"))}}})
    equal("exit status", status, 1)
    like("start", found["start"]["text"], "another|lock|in use")


@test
def test_lines_for_people_and_wrong_command_lines():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder))
        status, out, _ = run("doctor", "-c", path)
        equal("exit status", status, 0)
        like("said", out, "backend 'main' .local.\n  ok +start .*"
             "to look at, 0 failed\n$")
        equal("another backend", run("doctor", "-c", path, "-b", "x")[0], 2)
    equal("an option", run("doctor", "--what")[0], 2)
    status, out, _ = run("doctor", "-c", "/nowhere.yaml", "--json")
    equal("no file", status, 2)
    like("as JSON", json.loads(out)["error"], "/nowhere.yaml: cannot be read")


main()
