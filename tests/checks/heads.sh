#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every file says its licence first; every C file then says what it is.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

heads() {
  c_sources core plugins tests | while read -r file; do
    awk 'NR == 1 && $0 != "/* SPDX-License-Identifier: MIT" ||
      NR == 2 && $0 != " *" ||
      NR == 3 && $0 !~ /^ \* [^ ]/ { bad = 1 }
      NR == 3 { exit }
      END { exit bad || NR < 3 }' "$file" || echo "$file"
  done
}

scripts() {
  own_files | grep -E '\.(sh|py|mk|ac|am)$|/kit$|/run$' |
    while read -r file; do
      head -n 3 "$file" | grep -q '^# SPDX-License-Identifier: MIT$' ||
        echo "$file"
    done
}

refuse 'begin with "/* SPDX-License-Identifier: MIT", " *", and a paragraph' \
  "$(heads)"
refuse 'put "# SPDX-License-Identifier: MIT" into the first lines' "$(scripts)"
verdict
