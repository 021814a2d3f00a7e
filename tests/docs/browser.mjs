// What a page of another origin has in a browser and Node has not: the rules of CORS (the Fetch standard, sections 3.3
// and 4.8) around Node's own fetch, a token the page kept, and a file that somebody chose.
// Node sends whatever it is told and shows whatever comes; without these rules a page would work here and nowhere else.

import { readFileSync } from "node:fs";

const ORIGIN = process.env.PAGE_ORIGIN;
const SIMPLE_METHODS = ["GET", "HEAD", "POST"];
const SIMPLE_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
const SIMPLE_HEADERS = ["accept", "accept-language", "content-language"];
const READABLE = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
const send = globalThis.fetch;

function listed(headers, name) {
  return (headers.get(name) ?? "").split(",").map((word) => word.trim().toLowerCase());
}

function blocked(url, why) {
  return new TypeError(`Blocked by CORS: ${url}: ${why}`);
}

function unsafe(headers) {
  return [...headers]
    .filter(([name, value]) => {
      const simple = name === "content-type" && SIMPLE_TYPES.includes(value.split(";")[0].trim().toLowerCase());
      return !simple && !SIMPLE_HEADERS.includes(name);
    })
    .map(([name]) => name)
    .sort();
}

function checkOrigin(response, url) {
  const allowed = response.headers.get("access-control-allow-origin");
  if (allowed !== "*" && allowed !== ORIGIN) throw blocked(url, `Access-Control-Allow-Origin is ${allowed}`);
}

async function preflight(url, method, names) {
  const asked = { Origin: ORIGIN, "Access-Control-Request-Method": method };
  if (names.length) asked["Access-Control-Request-Headers"] = names.join(",");
  const response = await send(url, { method: "OPTIONS", headers: asked, redirect: "manual" });
  checkOrigin(response, url);
  if (!response.ok) throw blocked(url, `the preflight was answered with ${response.status}`);
  const methods = listed(response.headers, "access-control-allow-methods");
  if (!SIMPLE_METHODS.includes(method) && !methods.includes(method.toLowerCase())) throw blocked(url, `not ${method}`);
  const fields = listed(response.headers, "access-control-allow-headers");
  // "*" would not stand for Authorization, so it counts for nothing here.
  for (const name of names) if (!fields.includes(name)) throw blocked(url, `not the field ${name}`);
  console.error(`preflight ${method} ${new URL(url).pathname}`);
}

globalThis.fetch = async (url, init = {}) => {
  const request = new Request(url, init);
  const names = unsafe(request.headers);
  if (names.length || !SIMPLE_METHODS.includes(request.method)) await preflight(request.url, request.method, names);
  request.headers.set("Origin", ORIGIN);
  request.headers.set("Sec-Fetch-Site", "cross-site");
  const response = await send(request);
  checkOrigin(response, request.url);
  const readable = [...READABLE, ...listed(response.headers, "access-control-expose-headers")];
  const shown = [...response.headers].filter(([name]) => readable.includes(name));
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers: shown });
};

globalThis.sessionStorage = { getItem: () => process.env.CALOTYPE_TOKEN };
const chosen = new File([readFileSync("alice.png")], "alice.png", { type: "image/png" });
globalThis.document = { querySelector: () => ({ files: [chosen] }) };
