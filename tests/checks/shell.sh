#!/bin/sh
# SPDX-License-Identifier: MIT
#
# No script gives shellcheck anything to say.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

command -v shellcheck >/dev/null || skip 'shellcheck is not installed'

scripts() {
  own_files | while read -r file; do
    case $(head -n 1 "$file" | tr -d '\000') in
      '#!'*sh | '# shellcheck ''shell='*) echo "$file" ;;
    esac
  done
}

refuse 'shellcheck says' "$(scripts | xargs shellcheck -x -f gcc || :)"
verdict
