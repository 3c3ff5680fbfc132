# SPDX-License-Identifier: MIT
"""All operations by a client that was generated from docs/openapi.yaml by
openapi-python-client: client.py FOLDER BASE_URL, with the package `generated`
in FOLDER."""
import base64
import hashlib
import io
import sys
import zipfile
from urllib.parse import parse_qsl, urlsplit

sys.path.insert(0, sys.argv[1])

# pylint: disable=wrong-import-position,import-error
from generated import AuthenticatedClient, models  # noqa: E402
from generated.api.files import (archive, archive_head,  # noqa: E402
                                 delete, download, download_head, list_,
                                 presign, upload)
from generated.api.health import healthz, openapi, readyz  # noqa: E402
from generated.api.links import (revoke, signed_get,  # noqa: E402
                                 signed_head, signed_post, signed_put)
from generated.api.many import copy, delete_many, move  # noqa: E402
from generated.api.object_ import (object_delete, object_get,  # noqa: E402
                                   object_head, object_put)
from generated.api.uploads import (upload_append,  # noqa: E402
                                   upload_forget, upload_offset,
                                   upload_options, upload_raw, upload_state,
                                   uploads_options)
from generated.types import File  # noqa: E402

CLIENT = AuthenticatedClient(base_url=sys.argv[2], token="none")
TUS = models.UploadRawTusResumable("1.0.0")
DONE = set()


def ask(operation, status, **words):
    """The answer of an operation, which has to be of this status."""
    name = operation.__name__.rpartition(".")[2]
    DONE.add(name)
    answer = operation.sync_detailed(client=CLIENT, **words)
    if answer.status_code != status:
        sys.exit(f"FAIL {name}: {answer.status_code} instead of {status}: "
                 f"{answer.content[:300]!r}")
    return answer


def bare(operation, status, **words):
    """The same where the answer has no body; the generated reader would take
    any 201 for JSON."""
    DONE.add(operation.__name__.rpartition(".")[2])
    # pylint: disable=protected-access
    answer = CLIENT.get_httpx_client().request(
        **operation._get_kwargs(**words))
    same(operation.__name__, answer.status_code, status)
    return answer


def same(what, got, want):
    if got != want:
        sys.exit(f"FAIL {what}: {got!r} instead of {want!r}")


def whole(data, name=None, kind="application/octet-stream"):
    return File(io.BytesIO(data), name, kind)


def body(data):
    """A body that isn't a form: httpx takes bytes with their length."""
    return File(data)


def files():
    form = models.Form(file=whole(b"hello", "my report.pdf"), prefix="py/f")
    stored = ask(upload, 201, body=form).parsed
    same("size", stored.size_bytes, 5)
    same("md5", stored.md5, hashlib.md5(b"hello").hexdigest())
    same("bytes", ask(download, 200, key=stored.key).content, b"hello")
    part = ask(download, 206, key=stored.key, range_="bytes=1-2")
    same("a range", part.content, b"el")
    head = ask(download_head, 200, key=stored.key)
    same("length", head.headers["content-length"], "5")
    packed = ask(archive, 200, key=[stored.key]).content
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        same("packed", [found.read(name) for name in found.namelist()],
             [b"hello"])
    head = ask(archive_head, 200, key=[stored.key])
    same("its length", head.headers["content-length"], str(len(packed)))
    page = ask(list_, 200, prefix="py/f/").parsed
    same("keys", [entry.key for entry in page.objects], [stored.key])
    same("deleted", ask(delete, 200, body=models.DeleteBody(stored.key))
         .parsed.deleted, stored.key)
    gone = ask(download, 404, key=stored.key).parsed
    same("code", gone.code, "object_not_found")


def objects():
    key = "py/one.txt"
    made = ask(object_put, 201, key=key, body=body(b"one"),
               if_none_match="*")
    tag = made.headers["etag"]
    ask(object_put, 412, key=key, body=body(b"two"), if_none_match="*")
    ask(object_put, 200, key=key, body=body(b"two"), if_match=tag)
    same("bytes", ask(object_get, 200, key=key).content, b"two")
    same("length", ask(object_head, 200, key=key).headers["content-length"],
         "3")
    target = "py/copy.txt"
    made = ask(copy, 201, body=models.Copy(from_=key, to=target)).parsed
    same("size", made.size_bytes, 3)
    ask(copy, 409, body=models.Copy(from_=key, to=target))
    ask(move, 200, body=models.Move(from_=key, to=target, replace=True))
    ask(object_get, 404, key=key)
    ask(object_delete, 200, key=target)


def many():
    for name in "abc":
        ask(object_put, 201, key=f"py/many/{name}", body=body(b"x"))
    keys = models.DeleteManyType0(["py/many/a", "py/many/none"])
    same("deleted", sorted(ask(delete_many, 200, body=keys).parsed.deleted),
         ["py/many/a", "py/many/none"])
    below = models.DeleteManyType1("py/many/")
    same("deleted", ask(delete_many, 200, body=below).parsed.deleted, 2)


def uploads():
    raw = ask(upload_raw, 201, body=body(b"raw"), filename="a.bin",
              prefix="py/raw").parsed
    same("filename", raw.filename, "a.bin")
    offer = ask(uploads_options, 204)
    same("version", offer.headers["tus-version"], "1.0.0")
    name = base64.b64encode(b"b.bin").decode()
    made = bare(upload_raw, 201, tus_resumable=TUS, upload_length="6",
                upload_metadata=f"filename {name}")
    which = made.headers["location"].rpartition("/")[2]
    ask(upload_options, 204, id=which)
    tus = {"id": which, "tus_resumable": "1.0.0"}
    ask(upload_append, 204, body=body(b"abc"), upload_offset=0, **tus)
    same("offset", ask(upload_offset, 200, **tus).headers["upload-offset"],
         "3")
    ask(upload_append, 409, body=body(b"def"), upload_offset=0, **tus)
    ask(upload_append, 204, body=body(b"def"), upload_offset=3, **tus)
    state = ask(upload_state, 200, **tus).parsed
    same("state", (state.complete, state.object_.filename), (True, "b.bin"))
    ask(upload_forget, 204, **tus)
    same("bytes", ask(object_get, 200, key=state.object_.key).content,
         b"abcdef")


def follow(link, operation, status, **words):
    """A link's query is signed, so it goes as it is."""
    query = dict(parse_qsl(urlsplit(link.url).query))
    client = CLIENT.get_httpx_client()
    before = client.params
    client.params = query
    answer = ask(operation, status, **words)
    client.params = before
    return answer


def links():
    def wish(**words):
        return ask(presign, 200, body=models.Wish(**words)).parsed
    gateway = models.WishVia("gateway")
    put = wish(key="py/link.txt", via=gateway,
               method=models.WishMethod("PUT"))
    follow(put, signed_put, 201, body=body(b"by link"))
    get = wish(key="py/link.txt", via=gateway)
    same("bytes", follow(get, signed_get, 200).content, b"by link")
    follow(get, signed_head, 200)
    post = wish(prefix="py/drop", via=gateway,
                method=models.WishMethod("POST"))
    form = models.Form(file=whole(b"dropped", "d.txt"))
    stored = follow(post, signed_post, 201, body=form).parsed
    same("prefix", stored.key.startswith("py/drop/"), True)
    ask(revoke, 200, body=models.Revocation.from_dict({"id": get.id}))
    same("code", follow(get, signed_get, 403).parsed.code, "link_revoked")


def health():
    same("status", ask(healthz, 200).parsed.status, "ok")
    same("status", ask(readyz, 200).parsed.status, "ready")
    same("document", ask(openapi, 200).content[:2], b"# ")


def main():
    for act in files, objects, many, uploads, links, health:
        act()
    print(f"{len(DONE)} operations")


main()
