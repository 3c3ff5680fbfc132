// SPDX-License-Identifier: MIT
//
// All operations by openapi-fetch, with the types that openapi-typescript
// made of docs/openapi.yaml: client.js BASE_URL.  What the document doesn't
// say doesn't compile.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const base = process.argv[2]!;
const client = createClient<paths>({ baseUrl: base });
const done = new Set<string>();

type Answer<T> = { data?: T; error?: unknown; response: Response };

function same(what: string, got: unknown, want: unknown): void {
  if (got !== want) {
    console.log(`FAIL ${what}: ${got} instead of ${want}`);
    process.exit(1);
  }
}

async function ask<T>(name: string, status: number,
                      call: Promise<Answer<T>>): Promise<Answer<T>> {
  const answer = await call;
  done.add(name);
  if (answer.response.status !== status)
    console.log(JSON.stringify(answer.error));
  same(name, answer.response.status, status);
  return answer;
}

/* Bytes go as they are. */
function bytes(text: string, kind = "application/octet-stream") {
  return {
    body: text,
    bodySerializer: (body: unknown) => new Blob([body as string]),
    headers: { "Content-Type": kind },
  };
}

function form(text: string, name: string, prefix?: string) {
  const serialized = new FormData();
  if (prefix !== undefined) serialized.append("prefix", prefix);
  serialized.append("file", new Blob([text]), name);
  return { body: { file: text }, bodySerializer: () => serialized };
}

async function files(): Promise<void> {
  const made = await ask("upload", 201,
    client.POST("/files", form("hello", "my report.pdf", "ts/f")));
  const key = made.data!.key;
  same("size", made.data!.size_bytes, 5);
  const got = await ask("download", 200, client.GET("/files/download",
    { params: { query: { key } }, parseAs: "text" }));
  same("bytes", got.data, "hello");
  const part = await ask("download", 206, client.GET("/files/download",
    { params: { query: { key }, header: { Range: "bytes=1-2" } },
      parseAs: "text" }));
  same("a range", part.data, "el");
  await ask("downloadHead", 200, client.HEAD("/files/download",
    { params: { query: { key } } }));
  const packed = await ask("archive", 200, client.GET("/files/archive",
    { params: { query: { key: [key] } }, parseAs: "arrayBuffer" }));
  same("packed", new DataView(packed.data as unknown as ArrayBuffer)
    .getUint32(0, true), 0x04034b50);
  await ask("archiveHead", 200, client.HEAD("/files/archive",
    { params: { query: { prefix: ["ts/f/"] } } }));
  const page = await ask("list", 200,
    client.GET("/files", { params: { query: { prefix: "ts/f/" } } }));
  same("keys", page.data!.objects.map((entry) => entry.key).join(), key);
  const gone = await ask("delete", 200,
    client.DELETE("/files", { body: { key } }));
  same("deleted", gone.data!.deleted, key);
}

async function objects(): Promise<void> {
  const path = "/files/object", key = "ts/one.txt", to = "ts/copy.txt";
  await ask("objectPut", 201, client.PUT(path,
    { params: { query: { key } }, ...bytes("one") }));
  await ask("objectPut", 412, client.PUT(path,
    { params: { query: { key }, header: { "If-None-Match": "*" } },
      ...bytes("two") }));
  const got = await ask("objectGet", 200, client.GET(path,
    { params: { query: { key } }, parseAs: "text" }));
  same("bytes", got.data, "one");
  await ask("objectHead", 200,
    client.HEAD(path, { params: { query: { key } } }));
  const copied = await ask("copy", 201, client.POST("/files/copy",
    { body: { from: key, to, replace: false } }));
  same("size", copied.data!.size_bytes, 3);
  await ask("move", 200, client.POST("/files/move",
    { body: { from: key, to, replace: true, unguarded: false } }));
  await ask("objectDelete", 200,
    client.DELETE(path, { params: { query: { key: to } } }));
}

async function many(): Promise<void> {
  const path = "/files/object";
  for (const name of ["a", "b", "c"])
    await ask("objectPut", 201, client.PUT(path,
      { params: { query: { key: `ts/many/${name}` } }, ...bytes("x") }));
  await ask("deleteMany", 200, client.POST("/files/delete",
    { body: { keys: ["ts/many/a", "ts/many/none"] } }));
  const below = await ask("deleteMany", 200, client.POST("/files/delete",
    { body: { prefix: "ts/many/", dry_run: false } }));
  same("deleted", below.data!.deleted, 2);
}

async function uploads(): Promise<void> {
  const all = "/files/uploads", one = "/files/uploads/{id}";
  const raw = await ask("uploadRaw", 201, client.POST(all,
    { params: { query: { filename: "a.bin", prefix: "ts/raw" } },
      ...bytes("raw") }));
  if (typeof raw.data !== "object") throw new Error("no JSON");
  same("filename", raw.data.filename, "a.bin");
  await ask("uploadsOptions", 204, client.OPTIONS(all, {}));
  const made = await ask("uploadRaw", 201, client.POST(all,
    { params: { query: { filename: "b.bin" },
                header: { "Upload-Complete": "?0" } }, parseAs: "text" }));
  const id = made.response.headers.get("Location")!.split("/").pop()!;
  const path = { id };
  await ask("uploadOptions", 204, client.OPTIONS(one, { params: { path } }));
  const append = (at: number, complete: "?0" | "?1", text: string) =>
    client.PATCH(one, {
      params: { path, header: { "Upload-Offset": at,
                                "Upload-Complete": complete } },
      ...bytes(text),
      headers: { "Content-Type": "application/partial-upload" },
    });
  await ask("uploadAppend", 204, append(0, "?0", "abc"));
  const head = await ask("uploadOffset", 200,
    client.HEAD(one, { params: { path } }));
  same("offset", head.response.headers.get("Upload-Offset"), "3");
  await ask("uploadAppend", 409, append(0, "?1", "def"));
  const last = await ask("uploadAppend", 201, append(3, "?1", "def"));
  same("size", last.data!.size_bytes, 6);
  const state = await ask("uploadState", 200,
    client.GET(one, { params: { path } }));
  same("object", state.data!.object!.filename, "b.bin");
  await ask("uploadForget", 204, client.DELETE(one, { params: { path } }));
}

/* A link's query is signed, so it goes as it is. */
function follow(url: string) {
  return { querySerializer: () => new URL(url).search.slice(1) };
}

async function links(): Promise<void> {
  const signed = "/files/signed", wish = "/files/presign";
  const put = await ask("presign", 200, client.POST(wish,
    { body: { key: "ts/link.txt", via: "gateway", method: "PUT",
              expires: 600 } }));
  await ask("signedPut", 201, client.PUT(signed,
    { ...follow(put.data!.url), ...bytes("by link") }));
  const get = await ask("presign", 200, client.POST(wish,
    { body: { key: "ts/link.txt", via: "gateway", method: "GET",
              expires: 600 } }));
  const got = await ask("signedGet", 200, client.GET(signed,
    { ...follow(get.data!.url), parseAs: "text" }));
  same("bytes", got.data, "by link");
  await ask("signedHead", 200, client.HEAD(signed, follow(get.data!.url)));
  const post = await ask("presign", 200, client.POST(wish,
    { body: { prefix: "ts/drop", via: "gateway", method: "POST",
              expires: 600 } }));
  await ask("signedPost", 201, client.POST(signed,
    { ...follow(post.data!.url), ...form("dropped", "d.txt") }));
  await ask("revoke", 200,
    client.DELETE("/files/links", { body: { id: get.data!.id! } }));
  await ask("signedGet", 403, client.GET(signed, follow(get.data!.url)));
}

async function health(): Promise<void> {
  await ask("healthz", 200, client.GET("/healthz", {}));
  const ready = await ask("readyz", 200, client.GET("/readyz", {}));
  same("status", ready.data!.status, "ready");
  await ask("openapi", 200,
    client.GET("/openapi.yaml", { parseAs: "text" }));
}

for (const act of [files, objects, many, uploads, links, health]) await act();
console.log(`${done.size} operations`);
