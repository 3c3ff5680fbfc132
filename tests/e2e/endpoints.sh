#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A newcomer's first session: curl, a few real files and every endpoint, in
# the order in which somebody tries them.
#   endpoints.sh [BASE_URL]
# Without BASE_URL it starts the gateway that SLUICE names, over a folder of
# its own, with the plugins in SLUICE_PLUGINS.
set -eu

work=$(mktemp -d)
gateway=
passed=0

stop() {
  if [ -n "$gateway" ]; then
    kill -TERM "$gateway" 2>/dev/null || true
    wait "$gateway" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

fail() {
  echo "FAIL $*"
  sed 's/^/  /' "$work/answer" 2>/dev/null | head -20
  exit 1
}

command -v curl >/dev/null || { echo "skipped: no curl"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }

start() {
  [ -x "${SLUICE:-}" ] || { echo "skipped: SLUICE names no program"; exit 77; }
  folders=$(printf '"%s"' "${SLUICE_PLUGINS:-}" | sed 's/:/", "/g')
  cat >"$work/sluice.yaml" <<YAML
server: {listen: ["127.0.0.1:0"]}
plugin_path: [$folders]
backends:
  main: {plugin: local, directory: $work/data}
routes:
  - {mount: /files, backend: main}
YAML
  mkfifo "$work/log"
  "$SLUICE" -c "$work/sluice.yaml" 2>"$work/log" &
  gateway=$!
  while read -r line; do
    case $line in
      *"listening on "*) base=${line##*listening on } ;;
      *ready*) break ;;
    esac
  done <"$work/log"
  [ -n "${base:-}" ] || fail "the gateway doesn't start"
}

# json NAME: that value of the last answer; for a list its length
json() {
  python3 -c '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for name in sys.argv[2].split("."):
    value = value[int(name) if name.isdigit() else name]
print(str(value).lower() if isinstance(value, bool) else value)
' "$work/answer" "$1" || fail "no $1 in the answer"
}

# ask WHAT STATUS CURL-ARGUMENTS...: one request; its body is in answer
ask() {
  what=$1 want=$2
  shift 2
  status=$(curl -sS -o "$work/answer" -D "$work/head" -w '%{http_code}' \
    "$@") || fail "$what: curl failed"
  [ "$status" = "$want" ] || fail "$what: status $status, not $want"
  passed=$((passed + 1))
}

# is WHAT GOT WANT
is() {
  [ "$2" = "$3" ] || fail "$1: $2, not $3"
  passed=$((passed + 1))
}

has_head() {
  grep -qi "$1" "$work/head" || fail "no header like $1"
  passed=$((passed + 1))
}

base=${1:-}
if [ -z "$base" ]; then
  start
  # Nobody reads the log any more, and the gateway mustn't mind.
fi

printf 'hello, world\n' >"$work/hello.txt"
printf '%%PDF-1.4 not much of one' >"$work/my report.pdf"
printf '<h1>hi</h1>' >"$work/grüße.html"
head -c 7000000 /dev/urandom >"$work/large.bin"
: >"$work/empty"
mine=e2e-$$

ask "is it alive" 200 "$base/healthz"
ask "is it ready" 200 "$base/readyz"
ask "an empty list" 200 "$base/files?prefix=$mine/"
is "count" "$(json count)" 0

for name in hello.txt "my report.pdf" grüße.html large.bin empty; do
  ask "upload $name" 201 -F "file=@$work/$name" -F "prefix=$mine" \
    "$base/files"
  key=$(json key)
  is "md5 of $name" "$(json md5)" "$(md5sum <"$work/$name" | cut -c1-32)"
  is "size of $name" "$(json size_bytes)" "$(wc -c <"$work/$name")"
  is "name of $name" "$(json filename)" "$name"
  cp "$work/answer" "$work/uploaded"
  ask "download $name" 200 -G --data-urlencode "key=$key" \
    "$base/files/download"
  cmp -s "$work/answer" "$work/$name" || fail "$name came back otherwise"
  has_head '^content-disposition: attachment'
  cp "$work/uploaded" "$work/answer"
  ask "the link of $name" 200 "$(json download_url)"
  cmp -s "$work/answer" "$work/$name" || fail "the link gives other bytes"
done

ask "list" 200 "$base/files?prefix=$mine/"
is "count" "$(json count)" 5
is "truncated" "$(json truncated)" false
ask "first page" 200 "$base/files?prefix=$mine/&limit=3"
is "truncated" "$(json truncated)" true
cursor=$(json next_cursor)
ask "second page" 200 -G --data-urlencode "prefix=$mine/" -d limit=3 \
  --data-urlencode "cursor=$cursor" "$base/files"
is "count" "$(json count)" 2
ask "folded" 200 "$base/files?prefix=$mine/&delimiter=/"
is "prefixes" "$(json prefixes.0)" "$mine/$(date -u +%Y)/"

ask "upload again" 201 -F "prefix=$mine" -F "file=@$work/hello.txt" \
  "$base/files"
key=$(json key)
ask "inline" 200 -G --data-urlencode "key=$key" -d inline=true \
  "$base/files/download"
has_head '^content-disposition: inline'
ask "a range" 206 -r 7-11 -G --data-urlencode "key=$key" \
  "$base/files/download"
is "its bytes" "$(cat "$work/answer")" world
tag=$(sed -n 's/^etag: *\([^\r]*\)\r*$/\1/Ip' "$work/head")
ask "nothing new" 304 -H "If-None-Match: $tag" -G \
  --data-urlencode "key=$key" "$base/files/download"
ask "only the head" 200 -I -G --data-urlencode "key=$key" \
  "$base/files/download"

ask "presign" 200 -H 'Content-Type: application/json' \
  -d "{\"key\": \"$key\", \"expires\": 120}" "$base/files/presign"
is "expires_in" "$(json expires_in)" 120
ask "the link" 200 "$(json url)"
cmp -s "$work/answer" "$work/hello.txt" || fail "the link gives other bytes"

ask "delete" 200 -X DELETE -H 'Content-Type: application/json' \
  -d "{\"key\": \"$key\"}" "$base/files"
is "deleted" "$(json deleted)" "$key"
ask "delete again" 200 -X DELETE -H 'Content-Type: application/json' \
  -d "{\"key\": \"$key\"}" "$base/files"
ask "download what is gone" 404 -G --data-urlencode "key=$key" \
  "$base/files/download"
is "error" "$(json error)" "Object not found"

ask "a form without file" 400 -F prefix=x "$base/files"
is "error" "$(json error)" "Missing 'file' field"
ask "no form at all" 415 -d a=b "$base/files"
ask "download of nothing" 400 "$base/files/download"
is "error" "$(json error)" "Missing query param: key"
ask "presign of nothing" 400 -H 'Content-Type: application/json' -d '{}' \
  "$base/files/presign"
is "error" "$(json error)" "Missing 'key'"
ask "a path that isn't there" 404 "$base/nope"
ask "a method that isn't there" 405 -X PUT "$base/files"
has_head '^allow: '

ask "the rest" 200 "$base/files?prefix=$mine/&limit=1000"
python3 - "$work/answer" >"$work/keys" <<'EOP'
import json, sys
for thing in json.load(open(sys.argv[1], encoding="utf-8"))["objects"]:
    print(json.dumps({"key": thing["key"]}))
EOP
while read -r document; do
  ask "clean up" 200 -X DELETE -H 'Content-Type: application/json' \
    -d "$document" "$base/files"
done <"$work/keys"
ask "nothing is left" 200 "$base/files?prefix=$mine/"
is "count" "$(json count)" 0

if [ -n "$gateway" ]; then
  kill -TERM "$gateway"
  wait "$gateway" || fail "the gateway ended with status $?"
  gateway=
fi
echo "$passed passed, 0 failed"
