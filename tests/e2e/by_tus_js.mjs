// SPDX-License-Identifier: MIT
//
// Uploads the files that stdin names, a JSON of [endpoint, [path, ...]], by
// tus-js-client, one after the other, and prints a line of JSON for each:
// [path, address].  Every third goes in three parts that are concatenated.
import { createReadStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

const require = createRequire(process.env.TUS_CLIENTS + '/')
const { Upload } = require('tus-js-client')
const [endpoint, paths] = JSON.parse(readFileSync(0, 'utf8'))

function upload(path, parts) {
  return new Promise((resolve, reject) => {
    const it = new Upload(createReadStream(path), {
      endpoint,
      metadata: { filename: basename(path), prefix: 't' },
      chunkSize: parts > 1 ? Infinity : 600_000,
      parallelUploads: parts,
      retryDelays: Array(60).fill(20),
      onShouldRetry: () => true,
      onError: reject,
      onSuccess: () => resolve(it.url),
    })
    it.start()
  })
}

for (const [n, path] of paths.entries()) {
  const url = await upload(path, n % 3 === 2 ? 3 : 1)
  console.log(JSON.stringify([path, url]))
}
