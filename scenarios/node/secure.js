// What hello.js answers, over HTTPS.
"use strict";

const { readFileSync } = require("node:fs");
const { createServer } = require("node:https");

const BODY = "Hello, world!\n";

createServer({ cert: readFileSync(process.env.CERT), key: readFileSync(process.env.KEY) }, (request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": BODY.length });
  response.end(BODY);
}).listen(Number(process.env.PORT), "127.0.0.1");
