// The pictures of the current search, page by page.

import { ask, show } from "./api.js";

export const $ = (id) => document.getElementById(id);
const cards = new Map(); // id of an asset → its <li>
let [cursor, round, loading] = [null, 0, false]; // what comes of an earlier round is too late
const edge = new IntersectionObserver(([end]) => end.isIntersecting && $("more").click(), { rootMargin: "400px" });

/** Make an element with members and children. */
export function make(name, members, ...children) {
  const element = Object.assign(document.createElement(name), members);
  element.append(...children);
  return element;
}

/** Begin again with what the search fields say. */
export function search() {
  round += 1;
  loading = false;
  return more(true);
}

/** Get the next page, or the first. */
export async function more(fresh = false) {
  if (loading || !(fresh || cursor)) return;
  const [mine, q, tag] = [round, $("q").value.trim(), $("tag").value];
  const asked = new URLSearchParams({ limit: 60, ...(q ? { q } : { sort: "-createdAt" }) });
  if (tag) asked.set("tags", tag);
  if (!fresh) asked.set("cursor", cursor);
  loading = true;
  try {
    const page = await ask("GET", `api/assets?${asked}`);
    if (mine !== round) return;
    if (fresh) $("grid").replaceChildren();
    if (fresh) cards.clear();
    cursor = page.nextCursor;
    page.items.forEach((asset) => put(asset));
  } finally {
    if (mine === round) loading = false;
  }
  settle();
  edge.disconnect();
  edge.observe($("more")); // it tells once more where a page does not fill the window
}

function settle() {
  const narrowed = $("q").value.trim() || $("tag").value;
  $("more").hidden = !cursor;
  $("empty").hidden = cards.size > 0;
  $("empty").textContent = narrowed ? "Nothing found." : "No pictures yet. Drop some here, paste one, or choose “Add pictures”.";
}

/** Show an asset: in its place if it has one, else before a card that is there, else at the end. */
export function put(asset, before = null) {
  const card = make("li", {}, button(asset));
  if (cards.has(asset.id)) cards.get(asset.id).replaceWith(card);
  else $("grid").insertBefore(card, before?.isConnected ? before : null);
  cards.set(asset.id, card);
  settle();
  return card;
}

function button(asset) {
  const kind = make("span", { className: "kind", textContent: asset.filename.split(".").pop().slice(0, 8) });
  const picture = make("img", { alt: "", loading: "lazy", decoding: "async" });
  if (asset.placeholder) picture.style.backgroundImage = `url("${asset.placeholder}")`;
  if (asset.thumbUrl) show(picture, asset.thumbUrl, () => picture.replaceWith(kind));
  const name = make("span", { className: "name", textContent: asset.filename });
  const onclick = () => document.dispatchEvent(new CustomEvent("picture", { detail: asset }));
  return make("button", { type: "button", className: "card", onclick }, asset.thumbUrl ? picture : kind, name);
}

/** Take an asset's card away, give a neighbour the focus, and return the card that followed it. */
export function take(id) {
  const card = cards.get(id);
  const [next, previous] = [card?.nextElementSibling, card?.previousElementSibling];
  card?.remove();
  cards.delete(id);
  ((next ?? previous)?.firstElementChild ?? $("pick")).focus();
  settle();
  return next;
}
