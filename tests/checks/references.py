#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of the README and of docs lead to files that are there, and to their
headings; and each page of docs is in the book's index."""
import os
import re
import sys
from pathlib import Path

TOP = Path(os.environ.get("srcdir") or Path(__file__).parents[2])
LINK = re.compile(r"(?<!!)\[[^][]*\]\(([^()\s]+)\)")
PICTURE = re.compile(r"!\[[^][]*\]\(([^()\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def text_of(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """Of its headings, as web pages of repositories name them."""
    found = set()
    for line in text_of(page).splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def faults(page):
    text = text_of(page)
    for link in LINK.findall(text) + PICTURE.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        to = (page.parent / name).resolve() if name else page.resolve()
        if not to.exists():
            yield f"{page.relative_to(TOP)}: {link} leads nowhere"
        elif anchor and anchor not in anchors(to):
            yield f"{page.relative_to(TOP)}: no heading is {link}"


def main():
    pages = [TOP / "README.md", *sorted(TOP.glob("docs/**/*.md"))]
    told = [fault for page in pages for fault in faults(page)]
    book = TOP / "docs/README.md"
    listed = {(book.parent / link.partition("#")[0]).resolve()
              for link in LINK.findall(text_of(book))}
    told += [f"docs/README.md doesn't lead to {page.name}"
             for page in sorted(TOP.glob("docs/*.md"))
             if page != book and page.resolve() not in listed]
    print("\n".join(told))
    sys.exit(bool(told))


main()
