// One picture, large: copy its address, tag it, see who uses it, delete it and have it back.

import { ask, near, show } from "./api.js";
import { $, make, put, say, tried } from "./grid.js";

let asset; // which the dialog shows; the same object as its card's in the grid
const one = ({ id }, more = "") => `api/assets/${id}${more}`;
const address = ({ url }) => (/^https?:/.test(url) ? url : near(url)); // the public one, if the server has one
const list = (id, lines) => $(id).replaceChildren(...lines.map((line) => make("li", {}, line)));

/** Offer the tags that have what is typed in their names; tell whether it is one of them, or nothing. */
export async function suggest(typed) {
  const { items } = (await ask("GET", `api/tags?${new URLSearchParams(typed ? { q: typed } : { sort: "name" })}`)).response;
  $("known").replaceChildren(...items.map(({ name }) => make("option", { value: name })));
  return !typed || items.some(({ name }) => name.toLowerCase() === typed.toLowerCase());
}

/** Open the dialog on an asset. */
export function open(chosen) {
  asset = chosen;
  $("name").textContent = asset.filename;
  const size = asset.width ? `${asset.width} × ${asset.height}, ` : "";
  $("facts").textContent = `${asset.mimeType}, ${size}${asset.size.toLocaleString()} bytes`;
  $("address").value = address(asset);
  $("large").replaceWith(make("img", { id: "large", alt: "", hidden: !asset.thumbUrl }));
  const large = $("large"); // a new one: what comes late of another picture cannot show in it
  if (asset.thumbUrl) show(large, asset.thumbUrl.replace(/\/thumb(?=\.\w+$)/, "/full"), () => { large.hidden = true; });
  for (const id of ["tags", "uses"]) list(id, []);
  $("picture").showModal();
  say("");
  tried(draw)();
}

/** Show what has to be asked for: the names of the tags, and what uses it. */
async function draw() {
  const mine = asset;
  const ids = mine.tags.filter((id) => !mine.tagTypes?.[id]); // the others are characters, personas and chats
  const paths = [one(mine, "/references"), ...ids.map((id) => `api/tags/${id}`)];
  const [uses, ...tags] = await Promise.all(paths.map((path) => ask("GET", path)));
  if (asset !== mine) return;
  const lines = uses.response.items.map(({ kind, id, name, field }) => `${kind} ${name ?? id} (${field})`);
  list("uses", lines.length ? lines : ["Nothing."]);
  list("tags", tags.map(({ response }) => chip(response)));
}

function chip({ id, name }) {
  const onclick = tried(() => retag(asset, (ids) => ids.filter((other) => other !== id), `No longer tagged ${name}.`));
  return make("button", { ariaLabel: `Remove the tag ${name}`, onclick }, `${name} ×`);
}

/** Change an asset's tags as they are now, and again if somebody else was faster. */
async function retag(mine, change, words) {
  const read = await ask("GET", one(mine));
  const sent = { json: { tags: change(read.response.tags) }, match: read.getResponseHeader("ETag") };
  const done = await ask("PATCH", one(mine), sent).catch((error) => (error.status === 412 ? null : Promise.reject(error)));
  if (!done) return retag(mine, change, words);
  Object.assign(mine, done.response);
  await draw();
  say(words);
  $("newtag").value = "";
  $("newtag").focus();
}

$("tagging").onsubmit = tried(() => {
  const name = $("newtag").value.trim();
  return retag(asset, (ids) => [...ids, name], `Tagged ${name}.`);
});
$("copy").onclick = tried(async () => {
  const locked = /private/.test((await ask("HEAD", near(asset.url))).getResponseHeader("Cache-Control"));
  const given = locked ? (await ask("POST", one(asset, "/sign"), { json: { expiresIn: 7 * 24 * 60 * 60 } })).response : asset;
  $("address").value = address(given);
  $("address").select(); // over plain HTTP from another machine, browsers have no clipboard object
  await (navigator.clipboard?.writeText($("address").value) ?? Promise.reject()).catch(() => document.execCommand("copy"));
  say(locked ? `Address copied. It opens for anybody until ${new Date(given.expiresAt).toLocaleString()}.` : "Address copied.");
});
$("delete").onclick = tried(async () => {
  const [mine, undo] = [asset, make("button", { className: "card" }, `${asset.filename} is deleted. Undo`)];
  await ask("DELETE", one(mine));
  undo.onclick = tried(async () => {
    put((await ask("POST", one(mine, "/restore"))).response).focus();
    say(`${mine.filename} is back.`);
  });
  $("picture").close();
  $(mine.id).replaceChildren(undo);
  undo.focus();
  say(`${mine.filename} deleted.`);
});
