// The page: the token, the search, files that come in, and deletions that can be undone.

import { ask, token, upload } from "./api.js";
import { first, more, put, search, take } from "./grid.js";
import { open, readTags } from "./picture.js";

const $ = (id) => document.getElementById(id);
const deleted = []; // [asset, the card it stood before]
const say = (words) => { $("said").textContent = words; };
const tried = (action) => (...given) => action(...given).catch((error) => say(error.message));
const start = tried(async () => { await readTags(); await search(); });

async function add(files) {
  const all = [...files];
  if (!all.length) return;
  const total = all.reduce((sum, file) => sum + file.size, 0) || 1;
  const [bar, refused] = [$("progress"), []];
  let [sent, added, known] = [0, 0, 0];
  bar.hidden = false;
  for (const [at, file] of all.entries()) {
    say(`Uploading ${at + 1} of ${all.length}: ${file.name}`);
    try {
      const asset = await upload(file, (bytes) => { bar.value = (sent + bytes) / total; });
      asset.duplicate ? known++ : added++;
      first(asset);
    } catch (error) {
      refused.push(`${file.name}: ${error.message}`);
    }
    sent += file.size;
    bar.value = sent / total;
  }
  bar.hidden = true;
  say([`${added} added.`, known && `${known} already here.`, ...refused].filter(Boolean).join(" "));
}

const undo = tried(async () => {
  const [asset, next] = deleted.at(-1);
  const restored = await ask("POST", `api/assets/${asset.id}/restore`);
  deleted.pop();
  $("undo").hidden = !deleted.length;
  put(restored, next).firstElementChild.focus();
  say(`${asset.filename} is back.`);
});

document.addEventListener("picture", (event) => open(event.detail));
document.addEventListener("deleted", ({ detail: asset }) => {
  deleted.push([asset, take(asset.id)]);
  $("undo").hidden = false;
  say(`${asset.filename} deleted.`);
});
document.addEventListener("unauthenticated", () => { if (!$("signin").open) $("signin").showModal(); });
$("token-form").onsubmit = (event) => {
  event.preventDefault();
  token.set($("token").value);
  $("token").value = "";
  $("signin").close();
  start();
};

let typing;
$("q").oninput = () => { clearTimeout(typing); typing = setTimeout(tried(search), 250); };
$("tag").onchange = tried(search);
$("filter").onsubmit = (event) => { event.preventDefault(); tried(search)(); };
$("more").onclick = tried(() => more());
new IntersectionObserver(([entry]) => { if (entry.isIntersecting) tried(() => more())(); }, { rootMargin: "400px" }).observe($("more"));
$("undo").onclick = undo;
$("pick").onclick = () => $("files").click();
$("files").onchange = () => { add($("files").files).then(() => { $("files").value = ""; }); };
document.addEventListener("paste", (event) => add(event.clipboardData.files));
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  add(event.dataTransfer.files);
});
addEventListener("offline", () => say("This device is offline."));
addEventListener("online", start);
addEventListener("hashchange", () => { token.adopt(); start(); });

token.adopt();
start();
