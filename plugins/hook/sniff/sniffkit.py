# SPDX-License-Identifier: MIT
"""For the tests of the hook `sniff`: files of several types, a gateway with
the hook, and its helpers, as the system tells them."""
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
from kit import BINARY, Gateway, needs  # noqa: E402

PLUGINS = os.environ.get("SLUICE_PLUGINS", "").split(":")
PNG = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4"
       b"\x89" + b"\0" * 3000)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" + b" " * 3000
HTML = b"<!DOCTYPE html><html><head><title>t</title></head><body>" + b"a" * 99
TEXT = b"It is a text and nothing but one.\n" * 99
ELF = Path(BINARY).read_bytes()[:3000]


def office():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        box.writestr("[Content_Types].xml", "<Types/>")
        box.writestr("_rels/.rels", "<Relationships/>")
        box.writestr("word/document.xml", "<w:document/>")
    return out.getvalue()


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        box.writestr("a.txt", "text")
    return out.getvalue()


DOCX = ("application/vnd.openxmlformats-officedocument.wordprocessingml."
        "document")


def sniffing(sections=None, more=(), **options):
    needs(any(Path(folder, "sniff.so").exists() for folder in PLUGINS),
          "no libmagic or libseccomp (Debian: libmagic-dev libseccomp-dev)")
    return Gateway({"server": {"workers": "1"}, **(sections or {}),
                    "hooks": [{"plugin": "sniff", **options}, *more]})


def put(gateway, data, said="application/octet-stream", key="t/a.bin"):
    return gateway.ask("PUT", f"/files/object?key={key}",
                       f"Content-Type: {said}", body=data)


def code(answer):
    return (answer.json or {}).get("code")


def told(answer):
    return (answer.status, code(answer), answer.error)


def compiled(folder):
    program = shutil.which("file")
    needs(program, "no file(1) (Debian: file)")
    subprocess.run([program, "-C", "-m", "own"], cwd=folder, check=True,
                   capture_output=True, timeout=60)
    return f"{folder}/own.mgc"


def children(pid):
    """The processes that this one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2]
            except OSError:
                continue
            state, parent = fields.split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return sorted(found)


def launcher(gateway):
    """The process that starts helpers."""
    return next(pid for pid in children(gateway.pid) if "sluice-sniff" in
                Path(f"/proc/{pid}/comm").read_text())


def helpers(gateway):
    return children(launcher(gateway))


def state(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.M))


def sanitized():
    program = Path(BINARY).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def is_there(pid):
    return Path(f"/proc/{pid}").exists()
