# SPDX-License-Identifier: MIT
"""This reads what docs/compressed-objects.md says with nothing of the
gateway's in it, frame by frame, by the command zstd:
`python3 seekread.py <compressed >plain`."""
import struct
import subprocess
import sys


def frames_of(stored):
    """(from, bytes, plain bytes) of each frame, as the table has them."""
    count, descriptor, magic = struct.unpack("<IBI", stored[-9:])
    if magic != 0x8F92EAB1 or descriptor & 0x7F:
        raise ValueError("no seek table")
    entry = 12 if descriptor & 0x80 else 8
    table = stored[-9 - count * entry - 8:]
    head, size = struct.unpack("<II", table[:8])
    if head != 0x184D2A5E or size != len(table) - 8:
        raise ValueError("a seek table of another length")
    at, found = 0, []
    for i in range(count):
        packed, plain = struct.unpack_from("<II", table, 8 + i * entry)
        found.append((at, packed, plain))
        at += packed
    if at != len(stored) - len(table):
        raise ValueError("the frames end elsewhere")
    return found


def unpacked(data):
    return subprocess.run(["zstd", "-d", "-c"], input=data, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def plain_of(stored):
    """All bytes, each frame for itself; an exception when one is wrong."""
    out = []
    for at, packed, plain in frames_of(stored):
        out.append(unpacked(stored[at:at + packed]))
        if len(out[-1]) != plain:
            raise ValueError("a frame of another length")
    return b"".join(out)


if __name__ == "__main__":
    sys.stdout.buffer.write(plain_of(sys.stdin.buffer.read()))
