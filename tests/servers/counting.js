// A plain Node server that counts what it was asked. It says its port on the first line of its standard output,
// and at SIGTERM, on the last, how many requests and bytes of their bodies it saw, and on how many connections. Given
// settings (JSON, as its only argument) it speaks TLS, and says too how many handshakes came to which end.
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const zlib = require('node:zlib')

const seen = { requests: 0, bodyBytes: 0, connections: 0, secured: 0, resumed: 0, refused: 0 }
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

const listener = (request, response) => {
  seen.requests += 1
  request.on('data', (data) => { seen.bodyBytes += data.length })
  request.resume()
  const answer = answers[request.url]
  if (answer) answer(request, response)
  else response.writeHead(404).end()
}

const secured = (settings) => {
  const pem = fs.readFileSync(settings.certificate)
  const ca = settings.clientCa ? fs.readFileSync(settings.clientCa) : undefined
  const { minVersion, maxVersion } = settings
  const options = { key: pem, cert: pem, ca, requestCert: Boolean(ca), minVersion, maxVersion }
  return https.createServer(options, listener)
    .on('secureConnection', (socket) => {
      seen.secured += 1
      if (socket.isSessionReused()) seen.resumed += 1
    })
    .on('tlsClientError', () => { seen.refused += 1 })
}

const server = process.argv[2] ? secured(JSON.parse(process.argv[2])) : http.createServer(listener)
server.on('connection', () => { seen.connections += 1 })
server.listen(0, '127.0.0.1', 1024, () => process.stdout.write(`${server.address().port}\n`))
process.on('SIGTERM', () => process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0)))
