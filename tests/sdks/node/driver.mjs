// Calls Sinch's Node SDK as it is told: a JSON line in, a JSON line out. It also is a callback URL: what comes
// there is checked by the SDK's own validator, and read by its parser.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { SinchClient } from "@sinch/sdk-core";
import { VerificationCallbackWebhooks } from "@sinch/verification";

const [applicationKey, applicationSecret] = process.argv.slice(2);
const clients = new Map();

function clientFor(verificationHostname) {
  if (!clients.has(verificationHostname)) {
    const silent = Object.fromEntries(["debug", "info", "warn", "error"].map((level) => [level, () => {}]));
    const options = { applicationKey, applicationSecret, verificationHostname, logger: silent };
    clients.set(verificationHostname, new SinchClient(options));
  }
  return clients.get(verificationHostname);
}

async function call({ base_url: baseUrl, api, call: name, argument }) {
  try {
    return { answer: await clientFor(baseUrl).verification[api][name](argument) };
  } catch (error) {
    return { error: describe(error) };
  }
}

function describe({ constructor, message, statusCode, data }) {
  const body = data === undefined ? null : JSON.parse(data);
  return { class: constructor.name, text: message, status: statusCode ?? null, body };
}

// The callback URL. Events wait in line until somebody asks for them.
const webhooks = new VerificationCallbackWebhooks({ applicationKey, applicationSecret });
const events = [];
const askers = [];
let decision = { action: "allow" };

function take(event) {
  if (askers.length > 0) askers.shift()(event);
  else events.push(event);
}

function next() {
  if (events.length > 0) return Promise.resolve(events.shift());
  return new Promise((resolve) => askers.push(resolve));
}

function check({ headers, url, method }, body) {
  const isValid = (text, path) => webhooks.validateAuthenticationHeader(headers, text, path, method);
  return {
    valid: isValid(body, url),
    valid_with_another_body: isValid(`${body} `, url),
    valid_at_another_path: isValid(body, `${url}/elsewhere`),
    event: parse(body),
  };
}

function parse(body) {
  try {
    return webhooks.parseEvent(body);
  } catch (error) {
    return { unreadable: error.message };
  }
}

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const received = check(request, Buffer.concat(chunks).toString("utf8"));
  const asks = received.event.event === "VerificationRequestEvent";
  response.writeHead(received.valid ? 200 : 401, { "Content-Type": "application/json" });
  response.end(received.valid && asks ? JSON.stringify(decision) : "");
  take(received);
}

function listen() {
  const server = createServer(receive);
  server.unref();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}/hooks/sinch`));
  });
}

const url = await listen();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.decide) decision = request.decide;
  let reply;
  if (request.call) reply = await call(request);
  else if (request.event) reply = { event: await next() };
  else reply = { url };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit();
