#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs/openapi.yaml has each path that is served, but for the console's, which
# are for browsers.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

document=docs/openapi.yaml

described() {
  sed -n 's|^  \(/[^:]*\):$|\1|p' "$document"
}

served() {
  grep -ho '\.tail = "[^"]*"' core/endpoints/*.c | cut -d '"' -f 2 |
    grep -v '^/console' | sort -u
}

refuse "a path that isn't in $document: describe it there" \
  "$(served | while read -r tail; do
    described | grep -qxF -e "$tail" -e "/files$tail" || echo "$tail"
  done)"
verdict
