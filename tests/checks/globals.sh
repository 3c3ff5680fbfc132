#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Nothing writable outlives a function call, but for the names below.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

# The log level, set before threads are started, the way to standard error, of
# which a process has one, and what its handlers of crashes and of refused
# system calls have to know.  In `sniff` the one process that starts others,
# which a gateway that has confined itself can't make again (decision 0067).
allowed='^(log_(level|writer)|crash_(table|mine)|refusal_table|launcher)$'

writable() {
  nm --format=sysv --defined-only "$@" 2>/dev/null |
    awk -F'|' '$7 ~ /^\.(bss|data|tbss|tdata|common)/ &&
      $7 !~ /^\.data\.rel\.ro/ || $7 ~ /COM/ {
        gsub(/ /, "", $1); sub(/\..*/, "", $1); print $1 }' |
    grep -vE "^__|san_|^\$|$allowed" | sort -u || :
}

[ -e "$build/core/.libs" ] || skip 'nothing is built here'
refuse 'a global: hand it down from main() instead' \
  "$(writable "$build"/core/.libs/*.a)"
refuse 'a global in a plugin: it belongs into the instance or the handle' \
  "$(find "$build/plugins" -path '*/.libs/*.o' | while read -r object; do
    writable "$object"
  done)"
verdict
