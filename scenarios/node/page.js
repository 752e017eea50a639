// A server whose page takes 2 ms of CPU to make, on any machine, and may be kept for an hour.
"use strict";

const { createServer } = require("node:http");

const WORK_US = 2000;
const BODY = "<p>It took 2 ms to make this page.</p>\n".repeat(50);

function spentUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

createServer((request, response) => {
  const untilUs = spentUs() + WORK_US;
  while (spentUs() < untilUs);
  response.writeHead(200, {
    "Cache-Control": "max-age=3600",
    "Content-Type": "text/html",
    "Content-Length": BODY.length,
  });
  response.end(BODY);
}).listen(Number(process.env.PORT), "127.0.0.1");
