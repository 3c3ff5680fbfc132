#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bounds of the S3 backends' options: the gateway starts at each of them,
and refuses what is one past it in a line that says what is allowed."""
from bucket import BUCKET, Emulator, gateway, sections, shared
from kit import GIB, MIB, each, equal, main, refusal, test

PLACES = {"s3": ("aws", 5_000_000_000, 5 * GIB),
          "minio": ("minio", 5 * GIB, 5 * GIB),
          "r2": ("r2", 5 * GIB - 5 * MIB, 5 * GIB - 5 * MIB),
          "b2": ("b2", 5_000_000_000, 5_000_000_000),
          "ceph": ("ceph", 5 * GIB, 5 * GIB)}  # most of one PUT, of a part


def starts(s3, **options):
    with gateway(s3, **options) as running:
        running.alive()


# ---- numbers

COUNTS = {"attempts": 20, "connections": 10000, "parallel_parts": 64}


@each({option: (option, most) for option, most in COUNTS.items()})
def test_count_has_bounds(case):
    option, most = case
    s3 = shared("minio")
    for count in 1, most:
        starts(s3, **{option: str(count)})
    for count in -1, 0, most + 1:
        refusal(sections(s3, **{option: str(count)}),
                f"'{option}' must be between 1 and {most}")


@each(PLACES)
def test_sizes_have_the_bounds_of_the_service(place):
    dialect, put, part = place
    s3 = shared(dialect)
    for option, most in ("multipart_threshold", put), ("part_size", part):
        for size in 5 * MIB, most:
            starts(s3, **{option: f"{size}B"})
        for size in 5 * MIB - 1, most + 1:
            refusal(sections(s3, **{option: f"{size}B"}),
                    f"'{option}' must be between {5 * MIB} and {most} bytes")


# ---- words

@each({"of one": "r", "of 63": "Eu-1._" + "r" * 57})
def test_region_is_signed_for(region):
    with Emulator("minio", region=region) as s3:
        s3.create(BUCKET)
        with gateway(s3, region=region) as running:
            key = running.upload()["key"]
            equal("body", running.download(key).body, b"hello")
        s3.blameless()


@each({"empty": "", "of 64": "r" * 64, "slash": "eu/west-1",
       "space": "eu west-1", "line": "eu\nwest", "not ASCII": "öst-1"})
def test_region_that_is_none_is_refused(region):
    refusal(sections(shared("minio"), region=region),
            "is no region: 1 to 63 letters")


@each({"of 64": "r" * 64, "slash": "eu/west-1", "space": "eu west"})
def test_region_that_is_none_is_not_adopted(region):
    with Emulator("minio", region=region) as s3:
        refusal(sections(s3, bucket="bucket-new", region="eu-west-1"),
                "bucket 'bucket-new' can't be used")


@each({"of 3": "abc", "of 63": "a.b-0" + "c" * 58})
def test_bucket_of_a_name_that_is_allowed_is_used(bucket):
    s3 = shared("minio")
    with gateway(s3, bucket) as running:
        equal("body", running.download(running.upload()["key"]).body,
              b"hello")
    s3.blameless()


@each({"empty": "", "of 2": "ab", "of 64": "a" * 64, "large": "Bucket",
       "slash": "a/b", "line": "a\nbc", "not ASCII": "eimér"})
def test_bucket_of_a_name_that_is_not_allowed_is_refused(bucket):
    refusal(sections(shared("minio"), bucket=bucket),
            "is no bucket name: 3 to 63 small letters")


@test
def test_addressing_is_one_of_three_words():
    refusal(sections(shared("minio"), addressing="host"),
            "'addressing' must be path, virtual or auto")


@each({"empty": "", "no scheme": "localhost:9000", "ftp": "ftp://host",
       "no host": "http://", "path": "http://host/path",
       "user": "http://user@host", "query": "http://host?x",
       "fragment": "http://host#x"})
def test_endpoint_that_is_no_host_is_refused(url):
    for option in "endpoint", "presign_endpoint":
        if url or option == "endpoint":
            refusal(sections(shared("minio"), **{option: url}),
                    r"isn't http://host\[:port\] or https://host\[:port\]")


@test
def test_endpoint_has_at_most_299_bytes():
    s3 = shared("minio")
    starts(s3, presign_endpoint="https://" + "h" * 299)
    refusal(sections(s3, presign_endpoint="https://" + "h" * 300),
            "is too long")


if __name__ == "__main__":
    main()
