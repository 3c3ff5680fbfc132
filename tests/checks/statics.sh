#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Of one library no two files have a static function of the same name, so that
# a breakpoint and a backtrace say which is meant.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

# Lines of "FOLDER NAME FILE", one for each static function.
# shellcheck disable=SC2016 # they are awk's
statics() {
  c_sources core plugins | grep '\.c$' | xargs awk '
    FNR == 1 { folder = FILENAME; sub("/[^/]*$", "", folder) }
    /^static [^=]*\(/ {
      sub(/\(.*/, "")
      sub(/.*[ *]/, "")
      print folder, $0, FILENAME
    }' | sort -u
}

namesakes() {
  statics | awk '{
    files[$1 " " $2] = files[$1 " " $2] " " $3
    count[$1 " " $2]++
  }
  END {
    for (name in count)
      if (count[name] > 1) {
        split(name, words)
        print words[2] ":" files[name]
      }
  }' | sort
}

refuse "begin with their file's noun, as other files have them too" \
  "$(namesakes)"
verdict
