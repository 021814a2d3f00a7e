// Elements, words for the person, and the pictures or characters of the current search, page by page.

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
  const { response } = await ask("GET", `api/${$("kind").value}?${asked}`);
  if (mine !== round) return;
  if (!asked.has("cursor")) $("grid").replaceChildren();
  if (q || tag) say(`${response.total}${response.totalCapped ? " or more" : ""} found.`);
  response.items.forEach((item) => put(item));
  cursor = response.nextCursor;
  $("more").hidden = !cursor;
  const hint = "Nothing yet. Drop pictures or character cards here, paste one, or choose “Add files”.";
  $("empty").textContent = q || tag ? "Nothing found." : hint;
  edge.disconnect();
  edge.observe($("more")); // it tells once more where a page does not fill the window
}

/** What a picture or a character is called, and where its small picture is. */
export const face = ({ filename, name, ...item }) => ({ name: filename ?? name, ...(item.avatar ?? item) });

/** Show a picture or a character, in its place if it has one; return its button. */
export function put(item, otherwise = "append") {
  const { name, thumbUrl, placeholder } = face(item);
  const kind = make("span", { className: "kind" }, item.filename ? name.split(".").pop().slice(0, 8) : name.slice(0, 1));
  const picture = make("img", { alt: "" });
  if (placeholder) picture.style.backgroundImage = `url("${placeholder}")`;
  if (thumbUrl) show(picture, thumbUrl, () => picture.replaceWith(kind));
  const button = make("button", { className: "card" }, thumbUrl ? picture : kind, make("span", {}, name));
  button.onclick = () => document.dispatchEvent(new CustomEvent("chosen", { detail: item }));
  if (!$(item.id)) $("grid")[otherwise](make("li", { id: item.id }));
  $(item.id).replaceChildren(button);
  return button;
}
