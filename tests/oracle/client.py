# SPDX-License-Identifier: MIT
"""A client that tells the model of every request and its answer.  An answer
that doesn't come is told as lost: what a kill, or a broken connection, looks
like from here."""
import hashlib
import json
import re
from urllib.parse import quote, urlencode

from kit import FORM, Mismatch, Wire, brief, equal, expect, field, file, form

from .record import Version


class Lost(Exception):
    """The connection ended, and nobody knows what became of the request."""


NAME = re.compile(r'filename="([^"]*)"')


def version_of(data):
    return Version(hashlib.md5(data).hexdigest(), len(data))


def named(data):
    """A version with a media type and a name of its own."""
    version = version_of(data)
    version.kind = f"application/x-{version.digest[:6]}"
    version.name = f"{version.digest[:6]}.bin"
    return version


class Client:
    """One client's connection; its calls are checked by `oracle`.  Only over
    a storage that is `faulty` may an answer be 5xx."""

    def __init__(self, oracle, url, name, mount="/files", changes=None,
                 faulty=False):
        self.oracle, self.url, self.name = oracle, url, name
        self.faulty = faulty
        self.mount, self.changes, self.wire = mount, changes, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.wire:
            self.wire.close()
        self.wire = None

    def ask(self, call, method, target, *lines, body=None):
        """The answer; the model hears of one that never comes."""
        try:
            self.wire = self.wire or Wire(self.url)
            answer = self.wire.ask(method, target, *lines, body=body)
        except (Mismatch, OSError) as why:
            self.close()
            self.oracle.lose(call)
            if isinstance(why, OSError) or "the connection ended" in str(why):
                raise Lost(str(why)) from None
            raise
        expect(self.faulty or answer.status < 500,
               f"{call}: answered with {answer.status} {brief(answer.body)}")
        if answer.header("connection") == "close":
            self.close()
        return answer

    def begin(self, kind, **words):
        call = self.oracle.begin(self.name, kind, **words)
        if self.changes and kind in ("upload", "delete"):
            self.changes.add(call)
        return call

    def end(self, call, answer, **more):
        self.oracle.end(call, answer.status, **more)
        return answer

    # -- what may be asked

    def upload(self, data, prefix="t", name="a.bin"):
        """The key; None: it was refused, or is in doubt."""
        call = self.begin("upload", prefix=prefix, version=version_of(data))
        answer = self.ask(call, "POST", self.mount, FORM, body=form(
            file(data, name), field("prefix", prefix)))
        if answer.status != 201:
            self.end(call, answer)
            return None
        said = answer.json
        equal("size, md5 of what was sent", (said["size_bytes"], said["md5"]),
              (call.version.size, call.version.digest))
        self.end(call, answer, key=said["key"])
        return said["key"]

    def delete(self, key):
        call = self.begin("delete", key=key)
        answer = self.ask(call, "DELETE", self.mount,
                          "Content-Type: application/json",
                          body=json.dumps({"key": key}).encode())
        self.end(call, answer)
        return answer.status

    def json(self, call, method, path, document):
        return self.ask(call, method, self.mount + path,
                        "Content-Type: application/json",
                        body=json.dumps(document).encode())

    def put(self, key, data, if_match=None, if_none_match=None):
        """An object by its name; conditions are ETags without quotes, or *."""
        version = named(data)
        call = self.begin("put", key=key, version=version,
                          if_match=if_match, if_none_match=if_none_match)
        lines = [f"Content-Type: {version.kind}", "Content-Disposition: "
                 f'attachment; filename="{version.name}"']
        lines += [f"{name}: {etag}" if etag == "*" else f'{name}: "{etag}"'
                 for name, etag in (("If-Match", if_match),
                                    ("If-None-Match", if_none_match)) if etag]
        answer = self.ask(call, "PUT", f"{self.mount}/object?key="
                          f"{quote(key, safe='')}", *lines, body=data)
        said = answer.json if answer.status in (200, 201) else {}
        return self.end(call, answer, etag=said.get("etag"))

    def copy(self, source, target, replace=False, kind="copy"):
        """Or a move, by its kind."""
        call = self.begin(kind, source=source, target=target, replace=replace)
        answer = self.json(call, "POST", f"/{kind}", {
            "from": source, "to": target, "replace": replace})
        said = answer.json
        return self.end(call, answer, size=said.get("size_bytes"),
                        etag=said.get("etag"), code=said.get("code"),
                        kind=said.get("content_type"))

    def delete_many(self, keys):
        call = self.begin("delete_many", keys=list(keys))
        answer = self.json(call, "POST", "/delete", {"keys": list(keys)})
        said = answer.json if answer.status == 200 else {}
        return self.end(call, answer, deleted=said.get("deleted"),
                        failed=said.get("failed"))

    def get(self, key, method="GET"):
        call = self.begin("get" if method == "GET" else "head", key=key)
        answer = self.ask(call, method, f"{self.mount}/download?key="
                          f"{quote(key, safe='')}")
        if answer.status != 200:
            self.end(call, answer)
            return answer
        digest = hashlib.md5(answer.body).hexdigest()
        self.end(call, answer, digest=digest if method == "GET" else None,
                 size=int(answer.header("content-length")),
                 etag=answer.header("etag").strip('"'),
                 kind=answer.header("content-type"), name=NAME.search(
                     answer.header("content-disposition"))[1])
        return answer

    def list(self, prefix="t", after=None, limit=1000, cursor=None):
        """One page: its keys, and where the next one begins."""
        call = self.begin("list", prefix=prefix, after=after)
        query = {"prefix": prefix, "limit": limit,
                 **({"cursor": cursor} if cursor else {})}
        answer = self.ask(call, "GET", f"{self.mount}?{urlencode(query)}")
        if answer.status != 200:
            self.end(call, answer)
            return [], None
        said = answer.json
        self.end(call, answer, truncated=said["truncated"], objects=[
            {"key": one["key"], "size": one["size_bytes"],
             "etag": one["etag"]} for one in said["objects"]])
        return ([one["key"] for one in said["objects"]],
                said.get("next_cursor"))

    def walk(self, prefix="t", limit=1000):
        """All keys, page by page."""
        keys, cursor = self.list(prefix, limit=limit)
        while cursor:
            expect(keys, "a truncated list without a key")
            more, cursor = self.list(prefix, keys[-1], limit, cursor)
            keys += more
        return keys

    def read_all(self, prefix="t"):
        """Looks at every key that was ever named, and at all that is listed;
        nothing else may be going on.  Then each history must have an order."""
        listed = self.walk(prefix)
        for key in sorted({*listed, *self.oracle.present(prefix)}):
            self.get(key)
        self.oracle.forget_strays()
        self.oracle.verify()
        return listed
