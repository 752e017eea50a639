// A server whose answers take 5 ms, in which it waits as for a database; LIMIT is how many connections it keeps at once.
"use strict";

const { createServer } = require("node:http");
const { setTimeout } = require("node:timers");

const WAIT_MS = 5;
const BODY = "It took 5 ms.\n";

const server = createServer((request, response) => {
  setTimeout(() => {
    response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": BODY.length });
    response.end(BODY);
  }, WAIT_MS);
});
server.keepAliveTimeout = 120_000;
if (process.env.LIMIT) server.maxConnections = Number(process.env.LIMIT);
server.listen(Number(process.env.PORT), "127.0.0.1");
