# SPDX-License-Identifier: MIT
"""The oracle: an executable model of what the HTTP contract promises.  Tests
tell it each request and its answer, or that nobody heard an answer, and it
says whether a gateway that keeps the contract could have answered so.

  record    versions of objects, calls, what a call's answer means for a key
  objects   key -> states that are allowed now; narrowed by every answer
  carry     copies and moves: a read, a write, and a removal
  linear    whether one key's history has an order that explains it
  stages    resumable uploads and the offsets that were told
  links     uses, and revocations with their bound
  events    what the hook `events` may and must have told

No module here knows HTTP but `http`, which speaks to a gateway and tells the
model; none needs the network or anything beside Python's library.
"""
