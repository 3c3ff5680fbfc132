# SPDX-License-Identifier: MIT
"""An S3 server for tests.  It speaks the dialect of one provider, checks
every signature, holds clients to what that provider demands, remembers what
they did wrong, and fails on demand.  It was written from the providers'
documentation and shares nothing with the gateway.

  python3 tests/s3/emulator --dialect r2 --port 9000

runs it by itself (--help says the rest), tests/s3/kit.py runs it in tests.

  server, message    sockets, HTTP/1.1
  operations         which operation a request names
  access, signature  SigV4
  payload            bodies, aws-chunked, digests
  buckets, objects, reading, copies, multipart, listing, store
  rules, table_*     the demands, each with its source
  checks, dialect    what single providers demand, and their figures
  faults             the fault script
  control            what tests ask under /_emulator/"""
