#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every option that YAML can have is explained in a man page.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

[ -n "$(find docs/man -name '*.[1357]' 2>/dev/null)" ] ||
  skip 'there are no man pages yet'

# Entries of option tables: {"name", SLUICE_TYPE, ...
options() {
  types='STRING|SECRET|BOOL|INT|SIZE|TIME|LIST|BACKEND_NAMES?'
  c_sources core plugins | xargs cat | tr '\n' ' ' |
    grep -oE "\{ *\"[a-z][a-z0-9_]*\", *SLUICE_($types)" |
    sed 's/^[^"]*"//; s/".*//' | sort -u
}

undocumented() {
  options | while read -r name; do
    grep -rqwF --include='*.[1357]' -- "$name" docs/man plugins ||
      echo "$name"
  done
}

[ -n "$(options)" ] || refuse 'no option was found: mend this check' core
refuse 'options that no man page names' "$(undocumented)"
verdict
