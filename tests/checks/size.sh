#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Files stay short enough to be one noun, lines short enough to be read.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

# longer_than LINES FOLDER...
longer_than() {
  limit=$1
  shift
  c_sources "$@" | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le "$limit" ] || echo "$file: $lines lines"
  done
}

printf 'to think about, over 400 lines:\n%s\n' \
  "$(longer_than 400 core plugins tests)"
refuse 'over 500 lines: which two nouns are these?' \
  "$(longer_than 500 core plugins)"
refuse 'over 79 columns: break the line' \
  "$(own_files | grep -E '\.(c|h|sh|py)$|/kit$|/run$' |
    xargs grep -nE '^.{80}' || :)"
refuse 'a tab or a space at the end of a line, or a tab in C' \
  "$(own_files | grep -E '\.(c|h|sh|py|yaml|[1357])$' |
    xargs grep -nE '[[:space:]]$' || :
  c_sources core plugins tests | xargs grep -nF "$(printf '\t')" || :)"
verdict
