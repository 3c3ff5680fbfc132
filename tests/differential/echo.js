// SPDX-License-Identifier: MIT

// An origin on node's http: each request that reaches its handler is a line of
// JSON in the file of its first argument; the second is its port.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const file = fs.openSync(process.argv[2], 'w');

function tell(line) {
  fs.writeSync(file, JSON.stringify(line) + '\n');
}

function handle(request, response) {
  const sum = crypto.createHash('md5');
  const socket = request.socket;
  const client = socket.remoteAddress;
  let length = 0;
  let over = false;
  const end = (state) => {
    if (over)
      return;
    over = true;
    tell({client, method: request.method, target: request.url, length,
          md5: sum.digest('hex'), state});
  };
  request.on('data', (piece) => {
    length += piece.length;
    sum.update(piece);
  });
  request.on('end', () => {
    end('whole');
    response.end();
  });
  request.on('error', () => {});
  request.on('close', () => end(socket.malformed ? 'refused' : 'cut'));
}

const server = http.createServer({requestTimeout: 20000}, handle);
server.httpAllowHalfOpen = true;
// The client's last word; all that it said was parsed by then.
server.on('connection', (socket) => {
  socket.on('end', () => setTimeout(() => socket.destroy(), 200));
});
server.on('checkContinue', handle);
server.on('checkExpectation', handle);
server.on('clientError', (error, socket) => {
  const cut = ['HPE_INVALID_EOF_STATE', 'ECONNRESET'].includes(error.code);
  socket.malformed = !cut;
  if (socket.writable)
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
});
server.listen(Number(process.argv[3]), '127.0.0.1');
