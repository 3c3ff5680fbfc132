#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The include paths keep the layers apart, unless an #include goes around them.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

refuse 'an include that goes up: name the header, if the layer may see it' \
  "$(c_sources core plugins | xargs grep -nE '#include +"[^"]*\.\./' || :)"
refuse 'core/base is pure: no event loop, no logging there' \
  "$(c_sources core/base |
    xargs grep -nE '#include +<(event2/|pthread|syslog)' || :)"
verdict
