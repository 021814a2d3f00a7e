// The pictures of the current search, page by page.

import { ask, show } from "./api.js";

const $ = (id) => document.getElementById(id);
const cards = new Map(); // id of an asset → its <li>
let cursor = null;
let round = 0; // an answer to an earlier search is too late
let loading = false;

/** Make an element with members and children. */
export function make(name, members = {}, ...children) {
  const element = Object.assign(document.createElement(name), members);
  element.append(...children);
  return element;
}

/** Begin again with what the search fields say. */
export async function search() {
  round += 1;
  cursor = null;
  loading = false;
  await more(true);
}

/** Get the next page. */
export async function more(fresh = false) {
  if (loading || (!fresh && !cursor)) return;
  const mine = round;
  const asked = new URLSearchParams({ limit: 60 });
  const [q, tag] = [$("q").value.trim(), $("tag").value];
  if (q) asked.set("q", q);
  else asked.set("sort", "-createdAt");
  if (tag) asked.set("tags", tag);
  if (!fresh) asked.set("cursor", cursor);
  loading = true;
  try {
    const page = await ask("GET", `api/assets?${asked}`);
    if (mine !== round) return;
    if (fresh) $("grid").replaceChildren();
    if (fresh) cards.clear();
    page.items.forEach((asset) => put(asset));
    cursor = page.nextCursor;
  } finally {
    if (mine === round) loading = false;
  }
  settle();
}

function settle() {
  const narrowed = $("q").value.trim() || $("tag").value;
  $("more").hidden = !cursor;
  $("empty").hidden = cards.size > 0;
  $("empty").textContent = narrowed ? "Nothing found." : "No pictures yet. Drop some here, paste one, or choose “Add pictures”.";
}

/** Show an asset: in its place if it is there, else before the card with the id `before`, else at the end. */
export function put(asset, before = null) {
  const card = make("li", {}, button(asset));
  const [old, next] = [cards.get(asset.id), before?.isConnected ? before : null];
  if (old) old.replaceWith(card);
  else $("grid").insertBefore(card, next);
  cards.set(asset.id, card);
  settle();
  return card;
}

function button(asset) {
  const kind = make("span", { className: "kind", textContent: asset.filename.split(".").pop().slice(0, 8) });
  const picture = make("img", { alt: "", loading: "lazy", decoding: "async" });
  const shown = asset.thumbUrl ?? (asset.width && asset.mimeType !== "image/svg+xml" ? asset.url : null);
  if (asset.placeholder) picture.style.backgroundImage = `url("${asset.placeholder}")`;
  if (shown) show(picture, shown, () => picture.replaceWith(kind));
  const name = make("span", { className: "name", textContent: asset.filename });
  const open = () => document.dispatchEvent(new CustomEvent("picture", { detail: asset }));
  return make("button", { type: "button", className: "card", onclick: open }, shown ? picture : kind, name);
}

/** Put a new or found asset first. */
export const first = (asset) => put(asset, $("grid").firstElementChild);

/** Take an asset's card away; return the card that followed it. Focus goes to a neighbour. */
export function take(id) {
  const card = cards.get(id);
  const next = card?.nextElementSibling ?? null;
  const neighbour = next ?? card?.previousElementSibling;
  card?.remove();
  cards.delete(id);
  (neighbour?.firstElementChild ?? $("pick")).focus();
  settle();
  return next;
}
