// A web API that asks another service, at port RECIPES, for each request, and says by its pid who answered.
"use strict";

const { Agent, createServer, get } = require("node:http");

const agent = new Agent({ keepAlive: true });

function answer(response, status, found) {
  const body = JSON.stringify({ pid: process.pid, ...found });
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

const server = createServer((request, response) => {
  if (request.url === "/health") {
    answer(response, 200, { healthy: true });
    return;
  }
  const fail = () => answer(response, 502, { error: "the recipes are gone" });
  get({ host: "127.0.0.1", port: process.env.RECIPES, path: "/recipes/42", agent }, (upstream) => {
    let text = "";
    upstream.setEncoding("utf8");
    upstream.on("data", (part) => (text += part));
    upstream.on("end", () => answer(response, 200, { recipe: JSON.parse(text) }));
    upstream.on("error", fail);
  }).on("error", fail);
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
