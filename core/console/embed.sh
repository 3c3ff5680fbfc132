#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh FILE...: prints C with these files, as they are and compressed, and
# with the descriptor of the endpoint that serves them.  Its path has a version
# that is made of their contents, so that a client may keep them for good.
set -eu
LC_ALL=C
export LC_ALL

version=$(cat -- "$@" | sha256sum | cut -c 1-16)

bytes() {
  od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$/,/'
}

cat <<END
/* SPDX-License-Identifier: MIT
 *
 * Made by core/console/embed.sh.
 */
#include "console.h"
#include "endpoints.h"

const char console_version[] = "$version";

const struct endpoint console_asset_endpoint = {
    .operation = OPERATION_NONE,
    .method = "GET",
    .tail = "/console/$version/" ROUTE_ANY,
    .cost = CONSOLE_COST,
    .console = true,
    .start = console_asset_start};
END

number=0
table=
for file in "$@"; do
  name=$(basename "$file")
  case $name in
    *.js) type='text/javascript; charset=utf-8' ;;
    *.css) type='text/css; charset=utf-8' ;;
    *.html) type='text/html; charset=utf-8' ;;
    *.svg) type='image/svg+xml' ;;
    *)
      echo "$file: no type is known for that name; add it here" >&2
      exit 1
      ;;
  esac
  echo "static const unsigned char plain_${number}[] = {"
  bytes <"$file"
  echo '};'
  echo "static const unsigned char packed_${number}[] = {"
  gzip -9nc "$file" | bytes
  echo '};'
  table="$table    {\"$name\", \"$type\",
     {plain_$number, sizeof plain_$number},
     {packed_$number, sizeof packed_$number}},
"
  number=$((number + 1))
done
echo
echo 'const struct console_file console_files[] = {'
printf '%s' "$table"
echo '    {0}};'
