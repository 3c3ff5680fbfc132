#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs as people really use them, with real files: curl, Python's
http.client, Node's fetch, Go's net/http, Java's HttpClient, wget.  Each puts
a file in under a name that isn't ASCII and gets the same bytes back."""
import http.client
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

from kit import (BOUNDARY, MIB, SLOWNESS, Gateway, each, equal, expect, field,
                 file, form, like, main, md5, needs, test)

NAME = "Bericht №5 – отчёт 日本.bin"
STORED = NAME.replace(" ", "_")


def done(*command, stdin=None, folder=None, env=None, seconds=90):
    """This is what a program says; complains when it fails."""
    ended = subprocess.run(list(map(str, command)), cwd=folder, input=stdin,
                           capture_output=True, check=False,
                           env={**os.environ, **(env or {})},
                           timeout=seconds * SLOWNESS)
    if ended.returncode:
        raise AssertionError(
            f"{command[0]} failed with {ended.returncode}: "
            f"{ended.stderr.decode(errors='replace')[-600:]}")
    return ended.stdout


class Session:
    """A gateway, a folder and a file in it."""

    def __init__(self, program=None, size=3 * MIB + 17):
        needs(program is None or shutil.which(program), f"no {program}")
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.data = secrets.token_bytes(size)
        self.path = self.folder / NAME
        self.path.write_bytes(self.data)
        self.gateway = Gateway()

    def __enter__(self):
        return self

    def __exit__(self, *how):
        try:
            self.gateway.__exit__(*how)
        finally:
            shutil.rmtree(self.folder)

    def stored(self, answer):
        """The program has printed the body of a 201."""
        got = json.loads(answer)
        equal("filename", got.get("filename"), NAME)
        equal("size, md5", (got["size_bytes"], got["md5"]),
              (len(self.data), md5(self.data)))
        expect(got["key"].endswith(STORED), f"the key is {got['key']}")
        equal("what comes back", md5(self.gateway.download(got["key"]).body),
              md5(self.data))
        return got


# ---- curl ------------------------------------------------------------------

@each({"plain": [], "without_expect": ["-H", "Expect:"],
       "with_expect": ["-H", "Expect: 100-continue"],
       "in_chunks": ["-H", "Transfer-Encoding: chunked"],
       "http_1_0": ["--http1.0"], "http_2_prior": ["--http2"]})
def test_curl_uploads_a_form(more):
    with Session("curl") as it:
        it.stored(done("curl", "-sS", "--fail-with-body", *more, "-F",
                       f"file=@{it.path}", "-F", "prefix=reports",
                       f"{it.gateway.url}/files"))


@test
def test_curl_uploads_standard_input():
    with Session("curl") as it:
        it.stored(done("curl", "-sSf", "-F", f"file=@-;filename={NAME}",
                       f"{it.gateway.url}/files", stdin=it.data))


@test
def test_curl_keeps_the_name_and_resumes_a_download():
    with Session("curl") as it:
        got = it.gateway.upload(it.data, "plain name.bin")
        url = f"{it.gateway.url}/files/download?key={quote(got['key'])}"
        done("curl", "-sSfOJ", url, folder=it.folder)
        equal("file", md5((it.folder / "plain name.bin").read_bytes()),
              md5(it.data))
        part = it.folder / "part"
        part.write_bytes(it.data[:1_000_000])
        done("curl", "-sSf", "-C", "-", "-o", part, url)
        equal("resumed", md5(part.read_bytes()), md5(it.data))


@test
def test_curl_asks_only_for_what_changed():
    with Session("curl") as it:
        got = it.gateway.upload(it.data)
        url = f"{it.gateway.url}/files/download?key={quote(got['key'])}"
        tag = it.folder / "tag"
        save = ["curl", "-sS", "-o", it.folder / "out", "-w", "%{http_code}",
                "--etag-save", tag, "--etag-compare", tag, url]
        equal("first", done(*save), b"200")
        equal("second", done(*save), b"304")


@test
def test_curl_that_sends_too_much_reads_the_413():
    with Session("curl", size=8 * MIB) as it:
        it.gateway.__exit__(None)
        it.gateway = Gateway({"uploads": {"max_bytes": "1MiB"}})
        for more in [], ["-H", "Expect:"], ["-H",
                                            "Transfer-Encoding: chunked"]:
            out = done("curl", "-sS", *more, "-w", "\n%{http_code}", "-F",
                       f"file=@{it.path}", f"{it.gateway.url}/files")
            equal("status", out.splitlines()[-1], b"413")
            like("error", json.loads(out.splitlines()[0])["error"],
                 r"too large \(max 1 MB\)")


@test
def test_curl_sends_several_at_once_over_one_session():
    with Session("curl") as it:
        one = ["-F", f"file=@{it.path}", f"{it.gateway.url}/files"]
        out = done("curl", "-sSf", *one, "--next", "-sSf", *one, "--next",
                   "-sSf", *one, "-w", "\n%{num_connects}\n")
        texts = out.decode().replace("}{", "}\n{").splitlines()
        equal("connections that the last one needed", texts[-1], "0")
        equal("keys", len(it.gateway.keys("")), 3)


@test
def test_wget_downloads_and_continues():
    with Session("wget") as it:
        url = it.gateway.upload(it.data, "some name.bin")["download_url"]
        where = urlsplit(url)
        url = f"{it.gateway.url}{where.path}?{where.query}"
        done("wget", "-q", "--content-disposition", url, folder=it.folder)
        equal("file", md5((it.folder / "some name.bin").read_bytes()),
              md5(it.data))
        part = it.folder / "part"
        part.write_bytes(it.data[:1_000_000])
        done("wget", "-q", "-c", "-O", part, url, folder=it.folder)
        equal("continued", md5(part.read_bytes()), md5(it.data))


# ---- Python ----------------------------------------------------------------

def connection(it):
    where = urlsplit(it.gateway.url)
    return http.client.HTTPConnection(where.hostname, where.port, timeout=30)


@each({"length": False, "chunks": True})
def test_python_uploads_and_downloads_over_one_connection(chunks):
    body = form(field("prefix", "py"), file(b"\0", NAME))
    with Session() as it:
        body = body.replace(b"\0", it.data)
        client = connection(it)
        headers = {"Content-Type":
                   f"multipart/form-data; boundary={BOUNDARY}"}
        client.request(
            "POST", "/files",
            iter([body[:100], body[100:]]) if chunks else body, headers,
            encode_chunked=chunks)
        answer = client.getresponse()
        equal("status", answer.status, 201)
        got = it.stored(answer.read())
        client.request("GET", f"/files/download?key={quote(got['key'])}")
        answer = client.getresponse()
        equal("md5", md5(answer.read()), md5(it.data))
        client.request("DELETE", "/files", json.dumps({"key": got["key"]}),
                       {"Content-Type": "application/json"})
        equal("delete", json.load(client.getresponse()),
              {"deleted": got["key"]})
        client.close()


# ---- Node ------------------------------------------------------------------

NODE = r"""
import {openAsBlob} from 'node:fs';
import {createHash} from 'node:crypto';
const [url, path, name] = process.argv.slice(2);
const form = new FormData();
form.append('file', await openAsBlob(path), name);
form.append('prefix', 'from/node');
const up = await fetch(`${url}/files`, {method: 'POST', body: form});
const stored = await up.json();
if (up.status !== 201) throw new Error(JSON.stringify(stored));
const down = await fetch(
  `${url}/files/download?key=${encodeURIComponent(stored.key)}`);
const sum = createHash('md5');
for await (const piece of down.body) sum.update(piece);
if (sum.digest('hex') !== stored.md5) throw new Error('other bytes');
const list = await (await fetch(`${url}/files?prefix=from/`)).json();
if (list.count !== 1) throw new Error(JSON.stringify(list));
const no = await fetch(`${url}/files/download?key=none`);
if (no.status !== 404 || !(await no.json()).error) throw new Error('404?');
console.log(JSON.stringify(stored));
"""


@test
def test_node_fetch_uploads_a_form_and_streams_it_back():
    with Session("node") as it:
        script = it.folder / "client.mjs"
        script.write_text(NODE)
        it.stored(done("node", script, it.gateway.url, it.path, NAME))


# ---- Go --------------------------------------------------------------------

GO = r"""
package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	base, path, name := os.Args[1], os.Args[2], os.Args[3]
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	go func() {
		file, err := os.Open(path)
		must(err)
		part, err := form.CreateFormFile("file", name)
		must(err)
		_, err = io.Copy(part, file)
		must(err)
		must(form.WriteField("prefix", "from/go"))
		must(form.Close())
		must(out.Close())
	}()
	answer, err := http.Post(base+"/files", form.FormDataContentType(), in)
	must(err)
	text, err := io.ReadAll(answer.Body)
	must(err)
	if answer.StatusCode != 201 {
		panic(string(text))
	}
	var stored struct{ Key, Md5 string }
	must(json.Unmarshal(text, &stored))
	down, err := http.Get(base + "/files/download?key=" +
		url.QueryEscape(stored.Key))
	must(err)
	sum := md5.New()
	_, err = io.Copy(sum, down.Body)
	must(err)
	if hex.EncodeToString(sum.Sum(nil)) != stored.Md5 {
		panic("other bytes")
	}
	fmt.Println(string(text))
}
"""


@test
def test_go_multipart_writer_uploads_a_stream():
    with Session("go") as it:
        (it.folder / "client.go").write_text(GO)
        it.stored(done("go", "run", "client.go", it.gateway.url, it.path,
                       NAME, folder=it.folder,
                       env={"GO111MODULE": "off", "GOFLAGS": ""}))


# ---- Java ------------------------------------------------------------------

JAVA = r"""
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

class Client {
  public static void main(String[] given) throws Exception {
    var base = given[0];
    var name = new String(HexFormat.of().parseHex(given[2]),
                          StandardCharsets.UTF_8);
    var mark = "----java" + System.nanoTime();
    var before = "--" + mark + "\r\nContent-Disposition: form-data; "
        + "name=\"file\"; filename=\"" + name + "\"\r\n\r\n";
    var after = "\r\n--" + mark + "--\r\n";
    var body = HttpRequest.BodyPublishers.ofByteArrays(List.of(
        before.getBytes(StandardCharsets.UTF_8),
        Files.readAllBytes(Path.of(given[1])),
        after.getBytes(StandardCharsets.UTF_8)));
    var client = HttpClient.newHttpClient();
    var up = client.send(HttpRequest.newBuilder(URI.create(base + "/files"))
        .header("Content-Type", "multipart/form-data; boundary=" + mark)
        .POST(body).build(), BodyHandlers.ofString());
    if (up.statusCode() != 201)
      throw new Exception(up.statusCode() + " " + up.body());
    var key = up.body().replaceFirst("(?s).*\"key\" *: *\"([^\"]*)\".*",
                                     "$1");
    var down = client.send(HttpRequest.newBuilder(URI.create(base
        + "/files/download?key="
        + URLEncoder.encode(key, StandardCharsets.UTF_8))).build(),
        BodyHandlers.ofByteArray());
    var sum = MessageDigest.getInstance("MD5").digest(down.body());
    if (!up.body().contains(HexFormat.of().formatHex(sum)))
      throw new Exception("other bytes, status " + down.statusCode());
    System.out.write(up.body().getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }
}
"""


@test
def test_java_http_client_uploads_in_chunks_and_downloads():
    """It first asks for an upgrade to HTTP/2, which is to be ignored."""
    with Session("javac") as it:
        (it.folder / "Client.java").write_text(JAVA)
        plain = it.folder / "plain.bin"
        plain.write_bytes(it.data)
        it.stored(done("java", "-Dfile.encoding=UTF-8", "Client.java",
                       it.gateway.url, plain, NAME.encode().hex(),
                       folder=it.folder))


if __name__ == "__main__":
    main()
