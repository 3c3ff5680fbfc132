#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A comment begins with its subject or verb: "The bytes that are left." and not
# with a clause that has to be decoded ("What is left of them.").  Questions
# are fine, and so is "Where it fails, it is tried again.", which has a comma
# and a main clause behind it.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

table=tests/checks/headless.txt

# All comments that begin so, as file:line:words.  The header that plugins of
# version 1 were promised stays as it is.
# shellcheck disable=SC2016 # awk expands them
headless() {
  {
    c_sources core plugins tests
    find core plugins tests config \( -name '*.py' -o -name '*.sh' \
      -o -name '*.yaml' -o -name '*.toml' \
      -o -name '*.js' -o -name '*.ts' -o -name '*.cc' -o -name '*.css' \
      -o -name '*.mk' -o -type f -perm -u+x \) -print
    find config -type f ! -name '*.svg' ! -name '*.json'
  } | grep -vE '^tests/(abi|fuzz/corpus)/' | sort -u | xargs awk '
    function judge() {
      if (text !~ /^(What|Who|Whom|Whose|Which|Whence|Where)[ \n]/) return
      sub(/[.:;](\n| .*)?$/, "", text)
      sentence = text
      sub(/[.:;] .*/, "", sentence)
      if (sentence ~ /\?/ || (sentence ~ /^Where/ && sentence ~ /,/)) return
      print place ":" sentence
    }
    function close_comment() { if (text != "") judge(); text = "" }
    FNR == 1 {
      close_comment()
      c = FILENAME ~ /\.(c|h|cc|js|ts|css)$/
      inside = 0
    }
    {
      line = $0
      begins = c ? line ~ /^ *(\/\*|\/\/)/ : line ~ /^ *(#|""")/
      if (inside || (!c && text != "" && begins && line !~ /"""/)) {
        body = line
        sub(/^ *[*#]* */, "", body)
      } else if (begins) {
        close_comment()
        body = line
        sub(/^ *(\/\*+|\/\/|#+!?|""") */, "", body)
        inside = c && line ~ /^ *\/\*/ || !c && line ~ /^ *"""/
        if (line ~ /""".*"""/) inside = 0
      } else {
        close_comment()
        next
      }
      if (c && line ~ /\*\// || !c && line ~ /"""$/) inside = 0
      if (c && body == "/" && !inside) body = ""
      sub(/ *(\*\/|""").*/, "", body)
      if (body == "" && !inside) close_comment()
      else {
        if (text == "") place = FILENAME ":" FNR
        text = text (text == "" ? "" : " ") body
      }
      if (body == "" ) close_comment()
    }
    END { close_comment() }'
}

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
headless >"$scratch/found"
sed 's|/[^/:]*:.*||' "$scratch/found" | sort | uniq -c
grep -v '^#' "$table" | while read -r folder most; do
  count=$(grep -c "^$folder/" "$scratch/found" || :)
  case $most in
    '' | *[!0-9]*)
      echo "$table: '$folder $most' is no folder and number" \
        >>"$scratch/more"
      continue
      ;;
  esac
  [ "$count" -ge "$most" ] ||
    echo "$folder has $count now: write that into $table"
  [ "$count" -le "$most" ] || {
    echo "$folder has $count, $table allows $most: begin with a subject"
    grep "^$folder/" "$scratch/found"
  } >>"$scratch/more"
done
[ ! -e "$scratch/more" ] ||
  refuse 'comments that begin without a head' "$(cat "$scratch/more")"
verdict
