// The service behind the service: one recipe as JSON, whatever is asked.
"use strict";

const { createServer } = require("node:http");

const INGREDIENTS = [
  { name: "chicken", quantity: "1 lb" },
  { name: "sauce", quantity: "2 cups" },
  { name: "rice", quantity: "1 cup" },
];

const server = createServer((request, response) => {
  const body = JSON.stringify({ pid: process.pid, id: 42, name: "Chicken with rice", ingredients: INGREDIENTS });
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
// Longer than any pause of those who keep connections to it, so that none closes as a request comes.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
