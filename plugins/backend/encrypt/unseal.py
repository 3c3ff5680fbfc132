# SPDX-License-Identifier: MIT
"""This reads and writes what docs/encrypted-objects.md says, with nothing of
the gateway's in it: `python3 unseal.py KEYFILE <sealed >plain`."""
import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC, PIECE, TAG, HEAD = b"SLUICEE1", 65536, 16, 76


def key_id(key):
    return hashlib.sha256(b"sluice-encrypt key id\0" + key).digest()[:8]


def keys_of(text):
    lines = [line.strip() for line in text.splitlines()]
    return [bytes.fromhex(line) for line in lines
            if line and not line.startswith("#")]


def nonce(index, last):
    return bytes(3) + index.to_bytes(8, "big") + bytes([last])


def unsealed(sealed, keys):
    """The plain bytes; an exception when one of them was altered."""
    head, body = sealed[:HEAD], sealed[HEAD:]
    if head[:8] != MAGIC:
        raise ValueError("not sealed")
    key = {key_id(key): key for key in keys}[head[8:16]]
    data_key = AESGCM(key).decrypt(head[16:28], head[28:], head[:16])
    pieces = [body[at:at + PIECE + TAG]
              for at in range(0, len(body), PIECE + TAG)]
    return b"".join(
        AESGCM(data_key).decrypt(nonce(i, i == len(pieces) - 1), piece, MAGIC)
        for i, piece in enumerate(pieces))


def sealed_by(plain, key, data_key, wrap_nonce):
    """The sealed bytes; the gateway takes the last two at random."""
    head = MAGIC + key_id(key)
    wrapped = AESGCM(key).encrypt(wrap_nonce, data_key, head)
    pieces = [plain[at:at + PIECE]
              for at in range(0, len(plain), PIECE)] or [b""]
    return head + wrap_nonce + wrapped + b"".join(
        AESGCM(data_key).encrypt(nonce(i, i == len(pieces) - 1), piece, MAGIC)
        for i, piece in enumerate(pieces))


if __name__ == "__main__":
    sys.stdout.buffer.write(unsealed(
        sys.stdin.buffer.read(), keys_of(Path(sys.argv[1]).read_text())))
