// One picture, large: copy its address, tag it, see who uses it, delete it.

import { address, ask, show } from "./api.js";
import { $, make } from "./grid.js";

const KINDS = { character: "characters", persona: "personas", chat: "chats", user: "users", imageProfile: "image-profiles" };
const tags = new Map(); // id → name
let asset; // the same object as its card's in the grid

const say = (words) => { $("told").textContent = words; };
const tried = (action) => (event) => { event?.preventDefault(); action().catch((error) => say(error.message)); };

/** Read the tags there are into the choices. */
export async function readTags() {
  const { items } = await ask("GET", "api/tags?limit=500&sort=name");
  const chosen = $("tag").value;
  items.forEach(({ id, name }) => tags.set(id, name));
  $("tag").replaceChildren($("tag").firstElementChild, ...items.map(({ id, name }) => new Option(name, id)));
  $("tag").value = items.some(({ id }) => id === chosen) ? chosen : "";
  $("known").replaceChildren(...items.map(({ name }) => make("option", { value: name })));
}

/** Open the dialog on an asset. */
export function open(chosen) {
  asset = chosen;
  const size = asset.width ? `${asset.width} × ${asset.height}, ` : "";
  $("name").textContent = asset.filename;
  $("facts").textContent = `${asset.mimeType}, ${size}${asset.size.toLocaleString()} bytes`;
  $("address").value = address(asset);
  $("large").hidden = !asset.thumbUrl;
  $("large").removeAttribute("src");
  if (asset.thumbUrl) show($("large"), asset.thumbUrl.replace(/\/thumb(?=\.\w+$)/, "/full"), () => { $("large").hidden = true; });
  say("");
  drawTags();
  tried(drawUses)();
  $("picture").showModal();
}

function drawTags() {
  const untag = (id) => tried(async () => {
    await ask("DELETE", `api/assets/${asset.id}/tags/${id}`);
    asset.tags = asset.tags.filter((other) => other !== id);
    drawTags();
    say(`No longer tagged ${tags.get(id)}.`);
    $("newtag").focus();
  });
  const chip = (id, name) => make("button", { textContent: `${name} ×`, ariaLabel: `Remove the tag ${name}`, onclick: untag(id) });
  $("tags").replaceChildren(...asset.tags.filter((id) => tags.has(id)).map((id) => make("li", {}, chip(id, tags.get(id)))));
}

async function drawUses() {
  const mine = asset;
  $("uses").replaceChildren();
  const { items } = await ask("GET", `api/assets/${mine.id}/references`);
  const lines = await Promise.all(items.map(async ({ kind, id, field }) => {
    const record = KINDS[kind] && await ask("GET", `api/${KINDS[kind]}/${id}`).catch(() => null);
    return `${kind} ${record?.name || record?.title || id} (${field})`;
  }));
  if (asset === mine) $("uses").append(...(lines.length ? lines : ["Nothing."]).map((textContent) => make("li", { textContent })));
}

$("copy").onclick = async () => {
  $("address").select(); // over plain HTTP from another machine, browsers have no clipboard object
  await (navigator.clipboard?.writeText($("address").value) ?? Promise.reject()).catch(() => document.execCommand("copy"));
  say("Address copied.");
};
$("tagging").onsubmit = tried(async () => {
  const name = $("newtag").value.trim();
  if (!name) return;
  Object.assign(asset, await ask("PATCH", `api/assets/${asset.id}`, { tags: [...asset.tags, name] }));
  await readTags();
  $("newtag").value = "";
  drawTags();
  say(`Tagged ${name}.`);
});
$("delete").onclick = tried(async () => {
  await ask("DELETE", `api/assets/${asset.id}`);
  $("picture").close();
  document.dispatchEvent(new CustomEvent("deleted", { detail: asset }));
});
$("close").onclick = () => $("picture").close();
