#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every file that belongs to the project is named by the build, so that it is
# compiled, tested and released.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# named FRAGMENT: the words of a fragment, with its own folder written out.
named() {
  sed "s|%D%|$(dirname "$1")|g" "$1" | tr -s '[:blank:]' '\n'
}

{
  named Makefile.am
  for fragment in core/local.mk plugins/local.mk tests/local.mk; do
    named "$fragment"
  done
  # Named in configure.ac.
  echo core/sluice.pc.in
} | sort -u >"$scratch/named"

unlisted() {
  own_files | grep -vE '\.mk$|^configure\.ac$|^Makefile\.am$' |
    while read -r file; do
      stem=${file%.c}
      grep -qxF -e "$file" -e "$stem" -e "$stem.la" "$scratch/named" ||
        echo "$file"
    done
}

refuse 'in no list of Makefile.am or */local.mk' "$(unlisted)"
verdict
