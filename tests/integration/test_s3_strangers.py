#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What S3 servers do that the plugins weren't tuned to: rclone, s3rver,
versitygw, SeaweedFS, S3Proxy and others, each way on the emulator."""
from bucket import gateway, shared
from kit import FORM, each, equal, field, file, form, main, test

DATA = bytes(range(65, 85))
ONE = {"server": {"workers": "1"}}
FEW = {"attempts": "2"}


RANGES = {
    "from 5": (["Range: bytes=5-"], 206, "bytes 5-19/20", DATA[5:]),
    "5 to 9": (["Range: bytes=5-9"], 206, "bytes 5-9/20", DATA[5:10]),
    "the last 5": (["Range: bytes=-5"], 206, "bytes 15-19/20", DATA[15:]),
    "another object's": (["Range: bytes=5-9", 'If-Range: "another"'], 200,
                         None, DATA),
    "all": ([], 200, None, DATA)}


@each(RANGES)
def test_range_that_is_answered_200_is_what_its_content_range_says(case):
    lines, status, told, want = case
    s3 = shared("ceph")
    with gateway(s3, more=ONE) as running:
        key = running.upload(DATA)["key"]
        s3.faults({"match": {"method": "GET"}, "do": "range-as-200",
                   "times": 99})
        answer = running.download(key, *lines)
        equal("status", answer.status, status)
        equal("Content-Range", answer.header("content-range"), told)
        equal("bytes", answer.body, want)


@each({"from 5": "Range: bytes=5-", "5 to 9": "Range: bytes=5-9"})
def test_range_that_nobody_describes_is_502(line):
    s3 = shared("ceph")
    with gateway(s3, more=ONE) as running:
        key = running.upload(DATA)["key"]
        s3.faults({"match": {"method": "GET"}, "do": "range-unsaid",
                   "times": 99})
        equal("status", running.download(key, line).status, 502)
        running.says("doesn't say which bytes of the object it brings")


@test
def test_object_whose_length_nobody_says_is_502():
    s3 = shared("ceph")
    with gateway(s3, more=ONE) as running:
        key = running.upload(DATA)["key"]
        s3.faults({"match": {"method": "HEAD"}, "do": "length-unsaid",
                   "times": 99})
        equal("HEAD", running.download(key, method="HEAD").status, 502)
        running.says("doesn't say the object's length")


# ---- a key that the service doesn't take is the client's, not an outage

CODES = {"400 InvalidArgument": 400, "400 InvalidRequest": 400,
         "400 InvalidURI": 400, "400 InvalidObjectName": 400,
         "400 KeyTooLongError": 400, "400 XMinioInvalidObjectName": 400,
         "409 ObjectParentIsFile": 409, "409 ErrDirectoryNotEmpty": 409,
         "400 XMinioParentIsObject": 409, "409 SomethingInTheWay": 409,
         "400 SomethingElse": 502, "403 AccessDenied": 502}


def refused(running, method, key):
    """The status of what asks the service by that method."""
    if method == "PUT":
        answer = running.ask("POST", "/files", FORM, body=form(
            field("prefix", "t"), file(DATA)))
    elif method == "GET":
        answer = running.download(key)
    else:
        answer = running.json("DELETE", "/files", {"key": key})
    return answer.status


@each({code: (code, status) for code, status in CODES.items()})
def test_refusal_of_a_key_is_the_clients(case):
    code, status = case
    s3 = shared("ceph")
    with gateway(s3, more=ONE, **FEW) as running:
        key = running.upload(DATA)["key"]
        for method in "PUT", "GET", "DELETE":
            s3.faults({"match": {"method": method, "query": "^$"},
                       "do": code, "times": 9})
            equal(f"status of {method}", refused(running, method, key),
                  status)
            s3.control("DELETE", "faults")
        running.says(code.partition(" ")[2])


PREFIXES = {"400 InvalidArgument": 400, "400 InvalidRequest": 400,
            "400 XMinioInvalidObjectName": 400, "403 AccessDenied": 502}


@each({code: (code, status) for code, status in PREFIXES.items()})
def test_refusal_of_a_prefix_is_the_clients(case):
    code, status = case
    s3 = shared("ceph")
    with gateway(s3, more=ONE, **FEW) as running:
        s3.faults({"match": {"query": "list-type"}, "do": code, "times": 9})
        equal("status", running.ask("GET", "/files?prefix=t").status, status)
        running.says(code.partition(" ")[2])


if __name__ == "__main__":
    main()
