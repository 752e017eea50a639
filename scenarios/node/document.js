// The same JSON document whatever is asked, made anew for each request as a page from a database would be: plain on
// PORT, and on GZIP_PORT, where that is given, compressed with zlib for a client that takes gzip.
"use strict";

const { createServer } = require("node:http");
const { gzip } = require("node:zlib");

const WORDS = "salt pepper basil tomato onion garlic butter cream flour sugar lemon rice bean egg milk oil".split(" ");

// The same numbers in each process: a linear congruential generator (Numerical Recipes).
let state = 1;
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const recipes = Array.from({ length: 100 }, (_, index) => ({
  id: index + 1,
  name: `${WORDS[below(WORDS.length)]} with ${WORDS[below(WORDS.length)]}`,
  minutes: 5 + below(90),
  rating: (1 + below(40) / 10).toFixed(1),
  steps: Array.from({ length: 4 }, () => `Add ${10 + below(490)} g of ${WORDS[below(WORDS.length)]}.`),
}));

function serve(port, answer) {
  createServer((request, response) => {
    response.setHeader("Content-Type", "application/json");
    answer(request, response, Buffer.from(JSON.stringify(recipes)));
  }).listen(Number(port), "127.0.0.1");
}

function send(response, body) {
  response.setHeader("Content-Length", body.length);
  response.end(body);
}

serve(process.env.PORT, (request, response, body) => send(response, body));
if (process.env.GZIP_PORT) {
  serve(process.env.GZIP_PORT, (request, response, body) => {
    response.setHeader("Vary", "Accept-Encoding");
    if (!/\bgzip\b/.test(request.headers["accept-encoding"])) return send(response, body);
    gzip(body, (error, packed) => {
      if (error) throw error;
      response.setHeader("Content-Encoding", "gzip");
      send(response, packed);
    });
  });
}
