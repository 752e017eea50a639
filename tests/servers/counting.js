// A plain Node server that counts what it was asked. It says its port on the first line of its standard output,
// and at SIGTERM, on the last, how many requests and bytes of their bodies it saw, and on how many connections.
'use strict'

const http = require('node:http')
const zlib = require('node:zlib')

const seen = { requests: 0, bodyBytes: 0, connections: 0 }
const text = 'hello from node\n'.repeat(64)
const zipped = zlib.gzipSync(text)

const answers = {
  '/': (request, response) => response.end('hello'),
  '/chunked': (request, response) => {
    response.write('one ')
    response.write('two ')
    setImmediate(() => response.end('three'))
  },
  '/gzip': (request, response) => {
    const asked = /\bgzip\b/.test(request.headers['accept-encoding'] || '')
    response.setHeader('Vary', 'Accept-Encoding')
    if (asked) response.setHeader('Content-Encoding', 'gzip')
    response.end(asked ? zipped : text)
  },
  '/no-content': (request, response) => response.writeHead(204).end(),
  '/not-modified': (request, response) => response.writeHead(304, { ETag: '"1"' }).end(),
  '/upload': (request, response) => request.on('end', () => response.end(`${request.method} read`)),
  '/echo-length': (request, response) => response.end(request.headers['content-length'] || 'none')
}

const server = http.createServer((request, response) => {
  seen.requests += 1
  request.on('data', (data) => { seen.bodyBytes += data.length })
  request.resume()
  const answer = answers[request.url]
  if (answer) answer(request, response)
  else response.writeHead(404).end()
})

server.on('connection', () => { seen.connections += 1 })
server.listen(0, '127.0.0.1', 1024, () => process.stdout.write(`${server.address().port}\n`))
process.on('SIGTERM', () => process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0)))
