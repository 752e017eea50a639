// A plain HTTP server: a short text, whatever is asked.
"use strict";

const { createServer } = require("node:http");

const BODY = "Hello, world!\n";

createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": BODY.length });
  response.end(BODY);
}).listen(Number(process.env.PORT), "127.0.0.1");
