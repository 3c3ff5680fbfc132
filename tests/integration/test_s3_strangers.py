#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""S3 servers behave in ways that the plugins weren't tuned to: rclone, s3rver,
versitygw, SeaweedFS, S3Proxy and others, each way on the emulator."""
from bucket import (BUCKET, PARTS, Emulator, gateway, noise, sections,
                    shared)
from kit import (FORM, MIB, each, equal, expect, field, file, form, main,
                 refusal, test)

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
         "409 SomethingInTheWay": 409,
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


@each({code: code for code in
       ("409 ObjectParentIsFile", "409 ErrDirectoryNotEmpty",
        "400 XMinioParentIsObject", "409 XMinioObjectExistsAsDirectory")})
def test_what_is_in_the_way_of_a_key_is_no_object_of_it(code):
    s3 = shared("ceph")
    with gateway(s3, more=ONE, **FEW) as running:
        key = running.upload(DATA)["key"]
        for method, status in ("PUT", 409), ("GET", 404), ("DELETE", 200):
            s3.faults({"match": {"method": method, "query": "^$"},
                       "do": code, "times": 9})
            equal(f"status of {method}", refused(running, method, key),
                  status)
            s3.control("DELETE", "faults")


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


# ---- names, ETags, addresses

@each({"a path": ("/var/x/report.pdf", "report.pdf"),
       "of Windows": ("C:\\x\\report.pdf", "report.pdf"),
       "a control": ("UTF-8\'\'a%0Ab.txt", "ab.txt"),
       "too long": ("n" * 300, "n" * 246), "nothing left": ("a/", "unnamed")})
def test_name_of_another_tools_object_is_cut_like_an_uploads(case):
    told, want = case
    s3 = shared("ceph")
    s3.client().put(BUCKET, "t/key", DATA,
                    {"x-amz-meta-original-filename": told})
    with gateway(s3, more=ONE) as running:
        equal("disposition", running.download("t/key").header(
            "content-disposition"), f'attachment; filename="{want}"')


@test
def test_etag_that_is_no_md5_is_refused_unless_the_option_says_so():
    with Emulator("aws", encryption="silent") as s3:
        s3.create(BUCKET)
        with gateway(s3, more=ONE) as running:
            equal("status", refused(running, "PUT", None), 502)
            running.says("stored other bytes than it was sent")
        equal("left", s3.state(BUCKET)["objects"], {})
        with gateway(s3, more=ONE, strict_etag="false", **PARTS) as running:
            for data in DATA, noise(6 * MIB):
                made = running.upload(data)
                expect(running.download(made["key"]).body == data,
                       "other bytes")
        s3.blameless()


@test
def test_object_of_other_bytes_is_removed_without_its_etag_too():
    with Emulator("aws", encryption="silent") as s3:
        s3.create(BUCKET)
        with gateway(s3, more=ONE, strict_etag="false") as running:
            s3.faults({"match": {"method": "PUT"}, "do": "spoil"})
            equal("status", refused(running, "PUT", None), 502)
        equal("left", s3.state(BUCKET)["objects"], {})


@test
def test_address_is_addressed_by_path():
    with Emulator("aws") as s3:
        s3.create(BUCKET)
        for host in "127.0.0.1", "localhost":
            endpoint = s3.endpoint.replace("127.0.0.1", host)
            with gateway(s3, more=ONE, addressing=None,
                         endpoint=endpoint) as running:
                made = running.upload(DATA)
                expect(made["download_url"].startswith(
                    f"{endpoint}/{BUCKET}/"), made["download_url"])


@each({"a name": ("http://bucket.invalid", True),
       "another's bucket": ("http://s3.test:1", True),
       "one label": ("http://storage-that-is-not-there:1", False),
       "IPv4": ("http://127.0.0.1:1", False),
       "IPv6": ("http://[::1]:1", False),
       "localhost": ("http://localhost:1", False)})
def test_hint_names_addressing_where_the_bucket_is_part_of_the_name(case):
    endpoint, hinted = case
    line = refusal(sections(shared("aws"), addressing=None,
                            endpoint=endpoint), "cannot reach")
    equal("hint", "'addressing'" in line, hinted)


if __name__ == "__main__":
    main()
