// A file of 16 KiB, written once to FOLDER, and sent as servers of files written in Node do: looked up and read anew for
// each request.
"use strict";

const { createReadStream, mkdirSync, stat, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");

const PAGE = "/page.txt";
const LINE = "This line is one of many in a file.\n";

const file = join(process.env.FOLDER, PAGE);
mkdirSync(process.env.FOLDER, { recursive: true });
writeFileSync(file, LINE.repeat(1000).slice(0, 16 * 1024));

createServer((request, response) => {
  stat(request.url === PAGE ? file : "", (error, found) => {
    if (error) {
      response.writeHead(404);
      return response.end();
    }
    response.writeHead(200, {
      "Content-Type": "text/plain",
      "Content-Length": found.size,
      "Last-Modified": found.mtime.toUTCString(),
    });
    createReadStream(file).pipe(response);
  });
}).listen(Number(process.env.PORT), "127.0.0.1");
