# SPDX-License-Identifier: MIT
"""Uploads the files that stdin names, a JSON of [endpoint, [path, ...]], by
tuspy, and prints a line of JSON for each: [path, address]."""
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.environ["TUS_CLIENTS"] + "/python")

# pylint: disable=wrong-import-position,import-error
import requests  # noqa: E402
from tusclient.client import TusClient  # noqa: E402
from tusclient.exceptions import (TusCommunicationError,  # noqa: E402
                                  TusUploadFailed)

LOST = (TusCommunicationError, TusUploadFailed, requests.RequestException)


def upload(client, path):
    """It tries an append again by itself, and no other request."""
    one = None
    while True:
        try:
            one = one or client.uploader(
                path, chunk_size=700_000, retries=5, retry_delay=0.02,
                metadata={"filename": Path(path).name, "prefix": "t"})
            if one.url:
                one.offset = one.get_offset()
            one.upload()
            return one.url
        except LOST:
            continue


ENDPOINT, PATHS = json.load(sys.stdin)
for name in PATHS:
    print(json.dumps([name, upload(TusClient(ENDPOINT), name)]), flush=True)
