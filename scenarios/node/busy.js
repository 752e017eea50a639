// A server whose answers take about 1 ms of work, by one process, by a cluster or by a pool of threads:
// node busy.js single | cluster COUNT | threads COUNT
"use strict";

const cluster = require("node:cluster");
const { createServer } = require("node:http");
const { Worker, isMainThread, parentPort, threadId } = require("node:worker_threads");

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function work(pid) {
  return JSON.stringify({ pid, value: fibonacci(24) });
}

function serve(answer) {
  createServer(async (request, response) => {
    const body = await answer();
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  }).listen(Number(process.env.PORT), "127.0.0.1");
}

// A thread that is idle gets the job that has waited longest; a job is what is to be done with its answer.
function pool(count) {
  const idle = [];
  const jobs = [];
  function next(thread) {
    const job = jobs.shift();
    if (job === undefined) return void idle.push(thread);
    thread.once("message", (body) => (next(thread), job(body)));
    thread.postMessage("work");
  }
  for (let number = 0; number < count; number++) next(new Worker(__filename));
  return () =>
    new Promise((job) => {
      jobs.push(job);
      if (idle.length > 0) next(idle.shift());
    });
}

const [mode, count] = process.argv.slice(2);
if (!isMainThread) parentPort.on("message", () => parentPort.postMessage(work(threadId)));
else if (mode === "threads") serve(pool(Number(count)));
else if (mode === "cluster" && cluster.isPrimary) for (let number = 0; number < Number(count); number++) cluster.fork();
else serve(() => work(process.pid));
