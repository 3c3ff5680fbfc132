#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Multipart uploads whose abort failed are given up later, as long as the
gateway runs; what is left at its end is told."""
from bucket import BUCKET, PARTS, Emulator, gateway, noise
from kit import (FORM, MIB, SLOWNESS, equal, eventually, field, file, form,
                 main, test)

PART = {"match": {"method": "PUT", "query": "partNumber=2"},
        "do": "403 AccessDenied", "times": 1}
ABORT = {"match": {"method": "DELETE", "query": "uploadId"}, "do": "503"}
ONE = {"server": {"workers": "1"}}


def fail(running):
    """An upload in two parts, of which the service refuses one."""
    body = form(field("prefix", "t"), file(noise(6 * MIB)))
    answer = running.ask("POST", "/files", FORM, body=body)
    equal("status", answer.status // 100, 5)


def begun(s3):
    return len(s3.state(BUCKET)["uploads"])


@test
def test_upload_that_cannot_be_aborted_is_given_up_later():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        with gateway(s3, more=ONE, attempts="1", **PARTS) as running:
            s3.faults(PART, {**ABORT, "times": 3})
            fail(running)
            equal("uploads", begun(s3), 1)
            running.says("upload can't be given up, and is tried again")
            eventually("none is left", lambda: begun(s3) == 0, 30 * SLOWNESS)
            running.says("the unfinished upload of 't/.* is given up now")
            equal("faults", len(s3.faults_fired()), 4)


@test
def test_those_behind_one_that_stays_are_given_up_too():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        with gateway(s3, more=ONE, attempts="1", **PARTS) as running:
            for _ in range(3):
                s3.faults(PART, {**ABORT, "times": 1})
                fail(running)
            eventually("none is left", lambda: begun(s3) == 0, 30 * SLOWNESS)


@test
def test_uploads_that_are_left_at_the_end_are_told():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        with gateway(s3, more=ONE, attempts="1", **PARTS) as running:
            s3.faults(*[PART] * 2, {**ABORT, "times": 1000})
            fail(running)
            fail(running)
            running.says("upload can't be given up, and is tried again")
            running.stop()
            running.says("2 unfinished uploads are left in the bucket; "
                         "sweep_uploads or a lifecycle rule removes them")
        equal("uploads", begun(s3), 2)


if __name__ == "__main__":
    main()
