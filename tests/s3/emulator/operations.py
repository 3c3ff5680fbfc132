# SPDX-License-Identifier: MIT
"""Finds the operation of a request, and does what stands before them all."""
from . import buckets, copies, listing, multipart, objects, reading
from .access import authenticate
from .checks import check_key
from .errors import S3Error

SERVICE = {("GET", ""): buckets.list_buckets}
BUCKET = {
    ("PUT", ""): buckets.create, ("HEAD", ""): buckets.head,
    ("DELETE", ""): buckets.delete, ("GET", ""): listing.list_v1,
    ("POST", ""): buckets.form, ("GET", "list-type"): listing.list_v2,
    ("GET", "location"): buckets.location,
    ("GET", "uploads"): multipart.list_uploads,
    ("GET", "versions"): listing.list_versions,
    ("POST", "delete"): buckets.delete_objects,
    ("GET", "cors"): buckets.cors, ("PUT", "cors"): buckets.cors}
OBJECT = {
    ("PUT", ""): objects.put, ("GET", ""): reading.get,
    ("HEAD", ""): reading.get, ("DELETE", ""): objects.delete,
    ("POST", "uploads"): multipart.create,
    ("PUT", "uploadId"): multipart.put_part,
    ("POST", "uploadId"): multipart.complete,
    ("DELETE", "uploadId"): multipart.abort,
    ("GET", "uploadId"): multipart.list_parts}
SUBRESOURCES = (
    "list-type", "location", "uploads", "versions", "delete", "cors",
    "uploadId", "acl", "tagging", "policy", "versioning", "lifecycle",
    "website", "notification", "encryption", "object-lock", "retention",
    "legal-hold", "torrent", "restore", "attributes", "select", "logging",
    "requestPayment", "replication", "accelerate", "analytics",
    "inventory", "metrics", "publicAccessBlock", "ownershipControls",
    "intelligent-tiering", "policyStatus")


def locate(call):
    """Bucket and key, from the path or from Host."""
    host = call.header("host", "").rsplit(":", 1)[0]
    domain = "." + call.state.domain
    path = call.request.path.removeprefix("/")
    if host.endswith(domain):
        call.violate("MINIO.virtual-host", host)
        call.violate("CEPH.virtual-host", host)
        call.bucket_name, call.key = host.removesuffix(domain), path
        return
    name, _, call.key = path.partition("/")
    call.bucket_name = name or None


def operation(call):
    table = SERVICE if call.bucket_name is None else \
        OBJECT if call.key else BUCKET
    named = [name for name in SUBRESOURCES if name in call.query]
    method = call.request.method
    if table is OBJECT and method == "PUT" and not named and \
            call.header("x-amz-copy-source") is not None:
        return copies.copy
    found = table.get((method, named[0] if named else ""))
    if found:
        return found
    if named:
        raise S3Error(501, "NotImplemented", "A header or query you "
                      "provided implies functionality that is not "
                      f"implemented: {named[0]}")
    raise S3Error(405, "MethodNotAllowed", "The specified method is not "
                  "allowed against this resource.")


def perform(call):
    """Does what the request asks for; its answer, or S3Error."""
    locate(call)
    if not call.state.tls:
        call.violate("R2.tls")
        call.violate("B2.tls")
    authenticate(call)
    if call.key:
        call.key = check_key(call)
    return operation(call)(call)
