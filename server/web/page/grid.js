// Elements, words for the person, and the pictures of the current search, page by page.

import { ask, show } from "./api.js";

export const $ = (id) => document.getElementById(id);
let [cursor, round] = [null, 0]; // what comes of an earlier round is too late
const edge = new IntersectionObserver(([end]) => end.isIntersecting && $("more").click(), { rootMargin: "400px" });

/** Make an element with members and children. */
export function make(name, members, ...children) {
  const made = Object.assign(document.createElement(name), members);
  made.append(...children);
  return made;
}

/** Say something: in the dialog while that is open, since the rest of the page is inert then. */
export const say = (words) => { $($("picture").open ? "told" : "said").textContent = words; };

/** Return a handler that does something asynchronous, and says what goes wrong. */
export const tried = (action) => (event) => {
  event?.preventDefault();
  return action(event).catch((error) => say(error.message));
};

/** Begin again with what the search fields say. */
export const search = () => { [cursor, round] = [null, round + 1]; return more(); };

/** Get the next page; one that comes twice does no harm. */
export async function more() {
  const [mine, q, tag] = [round, $("q").value.trim(), $("tag").value.trim()];
  const asked = new URLSearchParams({ limit: 60, ...(q ? { q } : { sort: "-createdAt" }), ...(tag && { tags: tag }) });
  if (cursor) asked.set("cursor", cursor);
  const { response } = await ask("GET", `api/assets?${asked}`);
  if (mine !== round) return;
  if (!asked.has("cursor")) $("grid").replaceChildren();
  if (q || tag) say(`${response.total}${response.totalCapped ? " or more" : ""} found.`);
  response.items.forEach((asset) => put(asset));
  cursor = response.nextCursor;
  $("more").hidden = !cursor;
  $("empty").textContent = q || tag ? "Nothing found." : "No pictures yet. Drop some here, paste one, or choose “Add pictures”.";
  edge.disconnect();
  edge.observe($("more")); // it tells once more where a page does not fill the window
}

/** Show an asset, in its place if it has one; return its button. */
export function put(asset, otherwise = "append") {
  const kind = make("span", { className: "kind" }, asset.filename.split(".").pop().slice(0, 8));
  const picture = make("img", { alt: "" });
  if (asset.placeholder) picture.style.backgroundImage = `url("${asset.placeholder}")`;
  if (asset.thumbUrl) show(picture, asset.thumbUrl, () => picture.replaceWith(kind));
  const button = make("button", { className: "card" }, asset.thumbUrl ? picture : kind, make("span", {}, asset.filename));
  button.onclick = () => document.dispatchEvent(new CustomEvent("picture", { detail: asset }));
  if (!$(asset.id)) $("grid")[otherwise](make("li", { id: asset.id }));
  $(asset.id).replaceChildren(button);
  return button;
}
