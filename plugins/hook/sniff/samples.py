# SPDX-License-Identifier: MIT
"""Small files of many types, made here, for a test that compares what the
hook `sniff` finds with what file(1) does."""
import bz2
import gzip
import io
import json
import lzma
import sqlite3
import struct
import subprocess
import tarfile
import wave
import zipfile
from pathlib import Path

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c636060606000000005000127d4ca8a0000000049454e44"
    "ae426082")


def zipped(*members, first=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        if first:
            box.writestr(*first)
        for name in members:
            box.writestr(name, f"<{name}/>")
    return out.getvalue()


def office(kind, part):
    return zipped("[Content_Types].xml", "_rels/.rels", f"{kind}/{part}.xml")


def opened(kind):
    """Of OpenDocument and EPUB, which say in the first member what they are.
    """
    return zipped("META-INF/container.xml", first=("mimetype", kind))


def tarred(format_):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as box:
        entry = tarfile.TarInfo("a.txt")
        entry.size = 4
        box.addfile(entry, io.BytesIO(b"text"))
    return out.getvalue()


def database(folder):
    path = Path(folder, "sample.db")
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE a (b)")
    base.close()
    return path.read_bytes()


def sound():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "none"))
        file.writeframes(b"\0\1" * 400)
    return out.getvalue()


def ole2():
    """A compound file of Microsoft's with an empty directory."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<HHHHH6xIIIIIIIIII", 0x3e, 3, 0xfffe, 9, 6, 0, 1, 0,
                        0, 4096, 0xfffffffe, 0, 0xfffffffe, 0, 0)
    head += b"\xff" * (512 - len(head))
    name = "Root Entry".encode("utf-16le").ljust(64, b"\0")
    root = name + struct.pack("<HBB", 22, 5, 1) + b"\xff" * 12 + b"\0" * 48
    return head + root.ljust(512, b"\0") + b"\xff" * 1024


def box(kind, brand):
    return (struct.pack(">I4s4sI4s4s", 24, b"ftyp", brand, 0, brand, b"isom") +
            struct.pack(">I4s", 8 + 100, kind) + b"\0" * 100)


def iso():
    return b"\0" * 32768 + b"\1CD001\1\0" + b"LINUX".ljust(32) + b"\0" * 3000


def deflated(program, data):
    """Its output for these bytes; None: it isn't there."""
    try:
        return subprocess.run([program, "-c"], input=data, check=True,
                              capture_output=True, timeout=30).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def class_file():
    return bytes.fromhex("cafebabe00000034000d") + b"\0" * 64


def executable(word, machine, kind):
    """A head of ELF: 64 bits little, or 32 bits big."""
    wide = word == 64
    return (b"\x7fELF" + bytes([2 if wide else 1, 1 if wide else 2, 1]) +
            b"\0" * 9 + struct.pack("<HHI" if wide else ">HHI", kind, machine,
                                    1) + b"\0" * 200)


def windows():
    return (b"MZ" + b"\x90\0" + b"\0" * 56 + struct.pack("<I", 64) +
            b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240,
                                    0x22) + struct.pack("<H", 0x20b) +
            b"\0" * 400)


SVG = (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
       b'width="1" height="1"/>\n')
WORDS = "Grüße aus Köln, wo es fünf Äpfel gibt.\n" * 40


def texts():
    return {
        "html": b"<!DOCTYPE html><html><head><title>t</title></head></html>",
        "xml": b'<?xml version="1.0"?>\n<a><b/></a>\n',
        "svg": SVG,
        "json": json.dumps({"a": [1, 2, {"b": None}]}).encode(),
        "csv": b"a,b,c\n1,2,3\n4,5,6\n7,8,9\n",
        "rtf": rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Times;}} text}",
        "postscript": b"%!PS-Adobe-3.0\n%%Title: a\nshowpage\n",
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "shell": b"#!/bin/sh\necho a\n",
        "python": b"#!/usr/bin/env python3\nimport os\nprint(os.name)\n",
        "php": b"<?php echo 1; ?>\n",
        "mail": b"From: a@b\nTo: c@d\nSubject: e\nDate: now\n\nf\n",
        "diff": b"--- a\n+++ b\n@@ -1 +1 @@\n-c\n+d\n",
        "calendar": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        "card": b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:a\r\nEND:VCARD\r\n",
        "key": b"-----BEGIN CERTIFICATE-----\nMIIB\n"
               b"-----END CERTIFICATE-----\n",
        "c": b"#include <stdio.h>\nint main(void) { return 0; }\n",
        "ascii": b"It is a text and nothing but one.\n" * 9,
        "utf-8": WORDS.encode(), "latin-1": WORDS.encode("latin-1"),
        "utf-8 mark": b"\xef\xbb\xbf" + WORDS.encode(),
        "utf-16": WORDS.encode("utf-16"),
        "utf-16be": b"\xfe\xff" + WORDS.encode("utf-16be"),
        "utf-32": WORDS.encode("utf-32"),
        "long line": b"a" * 60000, "nul": b"\0" * 600,
        "noise": bytes(range(256)) * 9, "one byte": b"a", "empty": b""}


def pictures():
    return {
        "png": PIXEL,
        "gif": b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0"
               b"\2\2D\1\0;",
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9",
        "tiff": b"II*\0\x08\0\0\0\1\0\0\1\3\0\1\0\0\0\1\0\0\0\0\0\0\0",
        "tiff big": b"MM\0*\0\0\0\x08\0\0\0\0\0\0",
        "webp": b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0" + b"\0" * 24,
        "bmp": b"BM" + struct.pack("<IHHIIiiHHI", 58, 0, 0, 54, 40, 1, 1, 1,
                                   24, 0) + b"\0" * 24,
        "ico": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + b"\0" * 80,
        "psd": b"8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\1\0\x08\0\3",
        "heic": box(b"meta", b"heic"), "avif": box(b"meta", b"avif")}


def media():
    return {
        "mp4": box(b"moov", b"isom"), "m4a": box(b"moov", b"M4A "),
        "quicktime": box(b"moov", b"qt  "),
        "webm": b"\x1aE\xdf\xa3\x93B\x82\x84webmB\x87\x81\2B\x85\x81\2",
        "matroska": b"\x1aE\xdf\xa3\x93B\x82\x88matroskaB\x87\x81\2",
        "mp3": b"ID3\3\0\0\0\0\0\0" + b"\xff\xfb\x90\0" + b"\0" * 413,
        "mp3 bare": (b"\xff\xfb\x90\0" + b"\0" * 413) * 4,
        "ogg": b"OggS\0\2" + b"\0" * 20 + b"\1\x1e\1vorbis\0\0\0\0\2D\xac",
        "opus": b"OggS\0\2" + b"\0" * 20 + b"\1\x13OpusHead\1\2",
        "flac": b"fLaC\0\0\0\x22\x10\0\x10\0" + b"\0" * 8 +
                b"\x0a\xc4\x42\xf0" + b"\0" * 20,
        "wav": sound(), "midi": b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\0",
        "avi": b"RIFF\x24\0\0\0AVI LIST\x10\0\0\0hdrlavih" + b"\0" * 40,
        "flv": b"FLV\1\5\0\0\0\x09\0\0\0\0", "aac": b"\xff\xf1P\x80\1\x1f\xfc",
        "aiff": b"FORM\0\0\0\x20AIFFCOMM\0\0\0\x12" + b"\0" * 30}


def archives(folder):
    text = b"It is a text.\n" * 99
    return {
        "gzip": gzip.compress(text), "bzip2": bz2.compress(text),
        "xz": lzma.compress(text),
        "lzma": lzma.compress(text, lzma.FORMAT_ALONE),
        "zstd": deflated("zstd", text) or b"\x28\xb5\x2f\xfd\x04\x58" + text,
        "lz4": b"\x04\x22\x4d\x18\x64\x40\xa7" + text,
        "7z": b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 60,
        "rar": b"Rar!\x1a\7\1\0" + b"\0" * 40,
        "zip": zipped("a.txt"), "zip empty": b"PK\5\6" + b"\0" * 18,
        "jar": zipped("META-INF/MANIFEST.MF", "A.class"),
        "apk": zipped("AndroidManifest.xml", "classes.dex"),
        "docx": office("word", "document"), "xlsx": office("xl", "workbook"),
        "pptx": office("ppt", "presentation"),
        "odt": opened("application/vnd.oasis.opendocument.text"),
        "ods": opened("application/vnd.oasis.opendocument.spreadsheet"),
        "epub": opened("application/epub+zip"),
        "tar": tarred(tarfile.USTAR_FORMAT), "gnu tar": tarred(
            tarfile.GNU_FORMAT), "pax": tarred(tarfile.PAX_FORMAT),
        "tar.gz": gzip.compress(tarred(tarfile.USTAR_FORMAT)),
        "cpio": b"070701" + b"0" * 104 + b"a\0", "ar": b"!<arch>\n",
        "deb": b"!<arch>\ndebian-binary   1342943816  0     0     100644  4  "
               b"       `\n2.0\n", "rpm": b"\xed\xab\xee\xdb\3\0" + b"\0" * 90,
        "iso": iso(), "cab": b"MSCF\0\0\0\0" + b"\0" * 40,
        "ole2": ole2(), "sqlite": database(folder)}


def programs():
    return {
        "elf": executable(64, 62, 2), "elf pie": executable(64, 62, 3),
        "elf object": executable(64, 183, 1), "elf big": executable(32, 20, 2),
        "elf core": executable(64, 62, 4),
        "elf of this system": Path("/bin/true").read_bytes()[:60000],
        "windows": windows(), "class": class_file(),
        "macho": b"\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0" + b"\0" * 40,
        "wasm": b"\0asm\1\0\0\0", "dex": b"dex\n035\0" + b"\0" * 104,
        "pyc": b"\xa7\r\r\n" + b"\0" * 20,
        "woff": b"wOFF\0\1\0\0" + b"\0" * 36, "woff2": b"wOF2\0\1\0\0" +
        b"\0" * 36, "ttf": b"\0\1\0\0\0\x09\0\x80\0\3\0\x10OS/2" + b"\0" * 99,
        "pcap": b"\xd4\xc3\xb2\xa1\2\0\4\0" + b"\0" * 16,
        "torrent": b"d8:announce3:a:b4:infod6:lengthi1eee",
        "pgp": b"-----BEGIN PGP MESSAGE-----\n\nhQ==\n",
        "dicom": b"\0" * 128 + b"DICM" + b"\2\0\0\0UL\4\0" + b"\0" * 20}


def samples(folder):
    """Files by name; some are written into this folder on the way."""
    return {**texts(), **pictures(), **media(), **archives(folder),
            **programs()}
