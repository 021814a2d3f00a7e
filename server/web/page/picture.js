// One picture, large: copy its address, tag it, see who uses it, delete it.

import { address, ask, show } from "./api.js";
import { make } from "./grid.js";

const $ = (id) => document.getElementById(id);
const KINDS = { character: "characters", persona: "personas", chat: "chats", user: "users", imageProfile: "image-profiles" };
const tags = new Map(); // id → name
let asset;

const say = (words) => { $("told").textContent = words; };

/** Do something; what goes wrong is said. */
const tried = (action) => async (event) => {
  event?.preventDefault();
  await action().catch((error) => say(error.message));
};

/** Read the tags there are into the choices. */
export async function readTags() {
  const page = await ask("GET", "api/tags?limit=500&sort=name");
  page.items.forEach(({ id, name }) => tags.set(id, name));
  const chosen = $("tag").value;
  const options = page.items.map(({ id, name }) => make("option", { value: id, textContent: name }));
  $("tag").replaceChildren(make("option", { value: "", textContent: "All" }), ...options);
  $("tag").value = tags.has(chosen) ? chosen : "";
  $("known").replaceChildren(...page.items.map(({ name }) => make("option", { value: name })));
}

/** Open the dialog on an asset. */
export function open(chosen) {
  asset = chosen;
  const size = asset.width ? `${asset.width} × ${asset.height}, ` : "";
  $("name").textContent = asset.filename;
  $("facts").textContent = `${asset.mimeType}, ${size}${asset.size.toLocaleString()} bytes`;
  $("address").value = address(asset);
  $("large").hidden = !asset.width;
  $("large").removeAttribute("src");
  if (asset.width) show($("large"), asset.url, () => { $("large").hidden = true; });
  say("");
  drawTags();
  tried(drawUses)();
  $("picture").showModal();
}

function drawTags() {
  const chips = asset.tags.filter((id) => tags.has(id)).map((id) => {
    const name = tags.get(id);
    const remove = make("button", { type: "button", textContent: `${name} ×`, ariaLabel: `Remove the tag ${name}` });
    remove.onclick = tried(async () => {
      await ask("DELETE", `api/assets/${asset.id}/tags/${id}`);
      changed({ tags: asset.tags.filter((other) => other !== id) });
      say(`No longer tagged ${name}.`);
      $("newtag").focus();
    });
    return make("li", {}, remove);
  });
  $("tags").replaceChildren(...chips);
}

function changed(now) {
  Object.assign(asset, now); // the card in the grid has the same object
  drawTags();
}

async function drawUses() {
  const [mine, list] = [asset.id, $("uses")];
  list.replaceChildren();
  const { items } = await ask("GET", `api/assets/${mine}/references`);
  const lines = await Promise.all(items.map(async ({ kind, id, field }) => {
    const record = KINDS[kind] ? await ask("GET", `api/${KINDS[kind]}/${id}`).catch(() => ({})) : {};
    return `${kind} ${record.name || record.title || id} (${field})`;
  }));
  if (asset.id !== mine) return;
  list.replaceChildren(...(lines.length ? lines : ["Nothing."]).map((textContent) => make("li", { textContent })));
}

$("copy").onclick = async () => {
  $("address").select();
  // Over plain HTTP from another machine browsers have no clipboard object.
  await (navigator.clipboard?.writeText($("address").value) ?? Promise.reject()).catch(() => document.execCommand("copy"));
  say("Address copied.");
};
$("tagging").onsubmit = tried(async () => {
  const name = $("newtag").value.trim();
  if (!name) return;
  const now = await ask("PATCH", `api/assets/${asset.id}`, { tags: [...asset.tags, name] });
  await readTags();
  $("newtag").value = "";
  changed(now);
  say(`Tagged ${name}.`);
});
$("delete").onclick = tried(async () => {
  await ask("DELETE", `api/assets/${asset.id}`);
  $("picture").close();
  document.dispatchEvent(new CustomEvent("deleted", { detail: asset }));
});
$("close").onclick = () => $("picture").close();
