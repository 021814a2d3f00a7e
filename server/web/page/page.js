// The page: the token, the search, files that come in, and deletions that can be undone.

import { adopt, ask, keep, upload } from "./api.js";
import { $, more, put, search, take } from "./grid.js";
import { open, readTags } from "./picture.js";

const deleted = []; // [asset, the card it stood before]
let [sending, typing] = [Promise.resolve(), 0];

const say = (words) => { $("said").textContent = words; };
const tried = (action) => () => action().catch((error) => say(error.message));
const start = tried(async () => { await readTags(); await search(); });

/** Upload files after those that are on their way. */
function add(files) {
  const all = [...files]; // now: the list is empty when the event is over
  if (all.length) sending = sending.then(() => send(all));
}

async function send(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const [told, bar] = [[], $("progress")];
  let [sent, added, known] = [0, 0, 0];
  bar.hidden = false;
  for (const [at, file] of files.entries()) {
    bar.value = sent / total;
    say(`Uploading ${at + 1} of ${files.length}: ${file.name}`);
    try {
      const asset = await upload(file, (bytes) => { bar.value = (sent + bytes) / total; });
      put(asset, $("grid").firstElementChild);
      asset.duplicate ? known++ : added++;
    } catch (error) {
      told.push(`${file.name}: ${error.message}`);
    }
    sent += file.size;
  }
  bar.hidden = true;
  say([`${added} added.`, known ? `${known} already here.` : "", ...told].join(" "));
}

$("undo").onclick = tried(async () => {
  const [asset, next] = deleted.at(-1);
  const restored = await ask("POST", `api/assets/${asset.id}/restore`);
  deleted.pop();
  $("undo").hidden = !deleted.length;
  put(restored, next).firstElementChild.focus();
  say(`${asset.filename} is back.`);
});
document.addEventListener("deleted", ({ detail: asset }) => {
  deleted.push([asset, take(asset.id)]);
  $("undo").hidden = false;
  say(`${asset.filename} deleted.`);
});
document.addEventListener("picture", ({ detail: asset }) => open(asset));
document.addEventListener("unauthenticated", () => $("signin").open || $("signin").showModal());
$("giving").onsubmit = (event) => {
  event.preventDefault();
  keep($("token").value);
  $("giving").reset();
  $("signin").close();
  start();
};

$("q").oninput = () => { clearTimeout(typing); typing = setTimeout(tried(search), 250); };
$("tag").onchange = tried(search);
$("filter").onsubmit = (event) => { event.preventDefault(); tried(search)(); };
$("more").onclick = tried(more.bind(null, false));
$("pick").onclick = () => $("files").click();
$("files").onchange = () => { add($("files").files); $("files").value = ""; };
document.addEventListener("paste", (event) => add(event.clipboardData.files));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return; // text into the search field, say
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop") add(event.dataTransfer.files);
  });
}
addEventListener("offline", () => say("This device is offline."));
addEventListener("online", start);
addEventListener("hashchange", () => { adopt(); start(); });
adopt();
start();
