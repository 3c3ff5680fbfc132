# SPDX-License-Identifier: MIT
"""Those who are measured, one file each: a Peer starts its servers on free
ports of 127.0.0.1 as its own manual recommends, says which processes they
are, and makes the requests (see client.c) by which it takes and gives objects.
"""
