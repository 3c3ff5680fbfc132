# SPDX-License-Identifier: MIT
"""The Python service that one would write in an afternoon: aiohttp before
boto3, the same five endpoints, each file whole in memory, calls that block in
the executor's threads; a process for each core on one port.

Imported it is the peer, run it is the service:
service.py PORT, with S3_ENDPOINT, S3_BUCKET and so on in the environment.
"""
import asyncio
import datetime
import hashlib
import mimetypes
import os
import sys
import uuid

LIMIT = 50 << 20
ROOM = 1 << 20  # of a form beside its file


def make_app():
    # pylint: disable=import-outside-toplevel,too-many-statements
    import boto3
    from aiohttp import web
    from botocore.config import Config
    from botocore.exceptions import ClientError

    bucket = os.environ["S3_BUCKET"]
    s3 = boto3.client(
        "s3", endpoint_url=os.environ["S3_ENDPOINT"],
        region_name=os.environ["S3_REGION"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        config=Config(signature_version="s3v4", max_pool_connections=64,
                      s3={"addressing_style": "path"}))

    async def blocking(call, **words):
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: call(**words))

    def failed(status, text):
        return web.json_response({"error": text}, status=status)

    def link(key, expires):
        return s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key},
            ExpiresIn=expires)

    async def upload(request):
        form = await request.post()
        if "file" not in form:
            return failed(400, "Missing 'file' field")
        part = form["file"]
        data = part.file.read()
        if len(data) > LIMIT:
            return failed(413, "File too large (max 50 MB)")
        name = part.filename or "unnamed"
        kind = (part.content_type or mimetypes.guess_type(name)[0] or
                "application/octet-stream")
        digest = hashlib.md5(data).hexdigest()
        prefix = str(form.get("prefix", "uploads")).strip("/")
        day = datetime.datetime.utcnow().strftime("%Y/%m/%d")
        key = (f"{prefix}/{day}/{uuid.uuid4().hex[:8]}-"
               f"{name.replace(' ', '_')}")
        await blocking(s3.put_object, Bucket=bucket, Key=key, Body=data,
                       ContentType=kind, Metadata={
                           "original-filename": name, "md5": digest,
                           "uploaded-by": request.headers.get(
                               "X-User-Id", "anonymous")})
        return web.json_response(
            {"key": key, "filename": name, "size_bytes": len(data),
             "content_type": kind, "md5": digest,
             "download_url": link(key, 3600), "expires_in": 3600},
            status=201)

    async def presign(request):
        asked = await request.json()
        if "key" not in asked:
            return failed(400, "Missing 'key'")
        expires = min(max(int(asked.get("expires", 3600)), 60), 86400)
        try:
            found = await blocking(s3.head_object, Bucket=bucket,
                                   Key=asked["key"])
        except ClientError:
            return failed(404, "Object not found")
        return web.json_response(
            {"key": asked["key"], "url": link(asked["key"], expires),
             "expires_in": expires, "content_type": found["ContentType"],
             "size_bytes": found["ContentLength"]})

    def fetch(key):
        found = s3.get_object(Bucket=bucket, Key=key)
        return found, found["Body"].read()

    async def download(request):
        key = request.query.get("key")
        if not key:
            return failed(400, "Missing query param: key")
        try:
            found, data = await blocking(fetch, key=key)
        except ClientError:
            return failed(404, "Object not found")
        name = found["Metadata"].get("original-filename",
                                     key.rpartition("/")[2])
        way = "inline" if request.query.get("inline") == "true" \
            else "attachment"
        return web.Response(body=data, headers={
            "Content-Type": found["ContentType"],
            "Cache-Control": "private, max-age=3600",
            "Content-Disposition": f'{way}; filename="{name}"'})

    async def listing(request):
        prefix = request.query.get("prefix", "uploads/")
        limit = min(int(request.query.get("limit", "100")), 1000)
        page = await blocking(s3.list_objects_v2, Bucket=bucket,
                              Prefix=prefix, MaxKeys=limit)
        objects = [{"key": one["Key"], "size_bytes": one["Size"],
                    "last_modified": one["LastModified"].isoformat(),
                    "etag": one["ETag"].strip('"')}
                   for one in page.get("Contents", [])]
        return web.json_response(
            {"objects": objects, "count": len(objects), "prefix": prefix,
             "truncated": page["IsTruncated"]})

    async def delete(request):
        asked = await request.json()
        if "key" not in asked:
            return failed(400, "Missing 'key'")
        await blocking(s3.delete_object, Bucket=bucket, Key=asked["key"])
        return web.json_response({"deleted": asked["key"]})

    app = web.Application(client_max_size=LIMIT + ROOM)
    app.add_routes([
        web.post("/files", upload), web.post("/files/presign", presign),
        web.get("/files/download", download), web.get("/files", listing),
        web.delete("/files", delete)])
    return app


def serve(port):
    from aiohttp import web  # pylint: disable=import-outside-toplevel
    for _ in range(len(os.sched_getaffinity(0)) - 1):
        if os.fork() == 0:
            break
    web.run_app(make_app(), host="127.0.0.1", port=port, reuse_port=True,
                access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
