// One picture or character, large: copy, tag or export it, see who uses it, delete it and have it back.

import { ask, near, show } from "./api.js";
import { $, face, make, put, say, tried } from "./grid.js";

let asset; // which the dialog shows, a picture or a character; the same object as its card's in the grid
const one = ({ id, sha256 }, more = "") => `api/${sha256 ? "assets" : "characters"}/${id}${more}`;
const address = ({ url }) => (/^https?:/.test(url) ? url : near(url)); // the public one, if the server has one
const list = (id, lines) => $(id).replaceChildren(...lines.map((line) => make("li", {}, line)));

/** Offer the tags that have what is typed in their names; tell whether it is one of them, or nothing. */
export async function suggest(typed) {
  const { items } = (await ask("GET", `api/tags?${new URLSearchParams(typed ? { q: typed } : { sort: "name" })}`)).response;
  $("known").replaceChildren(...items.map(({ name }) => make("option", { value: name })));
  return !typed || items.some(({ name }) => name.toLowerCase() === typed.toLowerCase());
}

/** Open the dialog on a picture or a character. */
export function open(chosen) {
  asset = chosen;
  const { name, thumbUrl } = face(asset);
  const large = make("img", { id: "large", alt: "", hidden: !thumbUrl });
  if (thumbUrl) show(large, thumbUrl.replace(/\/\w+(?=\.\w+$)/, "/full"), () => { large.hidden = true; });
  $("large").replaceWith(large); // what comes late of another picture cannot show in it
  $("name").textContent = name;
  for (const id of ["facts", "tags", "uses"]) $(id).replaceChildren();
  for (const part of $("picture").querySelectorAll(".asset")) part.hidden = !asset.sha256;
  $("export").hidden = Boolean(asset.sha256);
  if (asset.sha256) $("address").value = address(asset);
  $("picture").showModal();
  say("");
  tried(draw)();
}

/** Show it as it is now, with the names of its tags and of what uses it. */
async function draw() {
  const mine = asset;
  const { tags: ids, tagTypes, mimeType, width, height, size, description } = (await ask("GET", one(mine))).response;
  const named = ids.filter((id) => !tagTypes?.[id]); // the others are characters, personas and chats
  const paths = [one(mine, "/references"), ...named.map((id) => `api/tags/${id}`)];
  const [uses, ...tags] = await Promise.all(paths.map((path) => ask("GET", path)));
  if (asset !== mine) return;
  const shape = width ? `${width} × ${height}, ` : "";
  $("facts").textContent = mine.sha256 ? `${mimeType}, ${shape}${size.toLocaleString()} bytes` : description;
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
  await draw();
  say(words);
  $("newtag").value = "";
  ($("tagging").hidden ? $("close") : $("newtag")).focus();
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
for (const button of $("export").children) {
  button.onclick = tried(async () => {
    const format = button.textContent.toLowerCase();
    const { response } = await ask("GET", one(asset, `/export?format=${format}`), { want: "blob" });
    const link = make("a", { href: URL.createObjectURL(response), download: `${asset.name}.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then it is read
    say(`Exported as ${link.download}.`);
  });
}
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
