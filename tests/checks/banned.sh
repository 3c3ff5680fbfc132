#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Functions that can't be used safely, or have a better replacement here.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

banned() {
  c_sources core plugins tests |
    xargs grep -nE "(^|[^A-Za-z0-9_])($1) *\(" || :
}

refuse 'no bound on what they write: use snprintf(), memcpy() or struct buf' \
  "$(banned 'strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets')"
refuse 'hidden state: use strchr(), the *_r function or base/date' \
  "$(banned 'strtok|localtime|gmtime|ctime|asctime|localtime_r|tmpnam')"
refuse 'predictable: use digest_random()' \
  "$(banned 'rand|srand|random|srandom|rand_r|drand48|mktemp')"
refuse 'no error for what is no number: use strtoull() or base/quantity' \
  "$(banned 'atoi|atol|atoll|atof|sscanf|scanf|fscanf')"
refuse 'the stack has no error: use malloc()' "$(banned 'alloca')"
refuse 'a shell has no place in a server' "$(banned 'system|popen')"
verdict
