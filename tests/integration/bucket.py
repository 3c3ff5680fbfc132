# SPDX-License-Identifier: MIT
"""A gateway in front of an S3 server of tests/s3, for test_s3_*.py."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from s3.kit import Emulator, shared  # noqa: E402,F401
from kit import Gateway, SLOWNESS  # noqa: E402

DIALECTS = {"s3": "aws", "minio": "minio", "r2": "r2", "b2": "b2",
            "ceph": "ceph"}  # the plugin's name, the emulator's
PLUGIN = {dialect: plugin for plugin, dialect in DIALECTS.items()}
BUCKET = "bucket-1"
PARTS = {"multipart_threshold": "5MiB", "part_size": "5MiB"}


def seconds(count):
    """As the configuration has it, longer on slow builds."""
    return f"{int(count * SLOWNESS * 1000)}ms"


def backend(s3, bucket=BUCKET, **options):
    """The backend's part of the configuration; None leaves a word out."""
    words = {"plugin": PLUGIN[s3.dialect], "directory": None,
             "addressing": "path", "connect_timeout": seconds(1),
             "idle_timeout": seconds(1), "retry_time": seconds(6),
             **s3.options(bucket)}
    if s3.certificate:
        words["ca_file"] = s3.certificate
    if s3.token:
        words["session_token"] = s3.token
    return {**words, **options}


def sections(s3, bucket=BUCKET, more=None, **options):
    """The gateway's configuration; `more` is for its other parts."""
    return {"backends": {"main": backend(s3, bucket, **options)},
            **(more or {})}


def gateway(s3, bucket=BUCKET, more=None, env=None, **options):
    return Gateway(sections(s3, bucket, more, **options), env=env)


def stored(s3, key, bucket=BUCKET):
    """The emulator's object under a key, None when there is nothing."""
    return s3.state(bucket)["objects"].get(key)


def noise(size, seed=7):
    """Bytes of which no two places look alike."""
    words = bytes((n * seed + (n >> 8) * 31 + (n >> 16)) & 255
                  for n in range(1 << 16))
    whole = b"".join(words[at & 0xffff:] + words[:at & 0xffff]
                     for at in range(0, size, 1 << 16))
    return whole[:size]
