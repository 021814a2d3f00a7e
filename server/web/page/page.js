// The page: the token, the search, and files that come in.

import { adopt, ask, keep } from "./api.js";
import { $, more, put, say, search, tried } from "./grid.js";
import { open, suggest } from "./picture.js";

let [sending, typing] = [Promise.resolve(), 0];
const start = tried(async () => { await suggest(""); await search(); });

const later = (action) => { say(""); clearTimeout(typing); typing = setTimeout(tried(action), 250); }; // as the typing pauses
const add = ([...files]) => { sending = sending.then(() => files.length && send(files)); }; // the list itself is emptied

/** Upload files, of which those that are cards become characters, and say what became of them. */
async function send(files) {
  const [bar, told] = [$("progress"), []];
  let [sent, added, known, people] = [0, 0, 0, 0];
  Object.assign(bar, { hidden: false, max: files.reduce((sum, file) => sum + file.size, 1) });
  for (const [at, file] of files.entries()) {
    say(`Uploading ${at + 1} of ${files.length}: ${file.name}`);
    try {
      const progress = ({ loaded }) => { bar.value = sent + loaded; };
      const path = `api/import/cards?${new URLSearchParams({ filename: file.name, others: 1 })}`;
      const [{ outcome, asset, name, notes }] = (await ask("POST", path, { file, progress })).response.items;
      if (asset && $("kind").value === "assets") put(asset, "prepend");
      asset ? (asset.duplicate ? known++ : added++) : people++;
      if (!asset) notes.unshift(`${name} is a character ${outcome === "same" ? "already" : "now"}.`);
      if (notes.length) told.push(`${file.name}: ${notes.join(" ")}`);
    } catch (error) {
      told.push(`${file.name}: ${error.message}`);
    }
    bar.value = sent += file.size;
  }
  bar.hidden = true;
  if (people === files.length) $("kind").value = "characters";
  if (people && $("kind").value === "characters") await tried(search)();
  say([`${added} added.${known ? ` ${known} already here.` : ""}`, ...told].join("\n"));
}

document.addEventListener("chosen", ({ detail }) => open(detail));
document.addEventListener("unauthenticated", () => { $("picture").close(); $("signin").open || $("signin").showModal(); });
$("signin").onsubmit = () => { keep($("token").value); $("token").value = ""; say(""); start(); };
$("filter").onsubmit = $("tag").onchange = tried(search);
$("kind").onchange = tried(() => { say(""); return search(); });
$("q").oninput = () => later(search);
$("tag").oninput = () => later(async () => (await suggest($("tag").value.trim())) && search());
$("newtag").oninput = () => later(() => suggest($("newtag").value.trim()));
$("more").onclick = tried(more);
$("pick").onclick = () => $("files").click();
$("files").onchange = () => { add($("files").files); $("files").value = ""; };
document.onpaste = (event) => add(event.clipboardData.files);
document.ondragover = document.ondragleave = document.ondrop = (event) => {
  if (!event.dataTransfer.types.includes("Files")) return; // text into the search field, say
  event.preventDefault();
  document.body.classList.toggle("over", event.type === "dragover");
  if (event.type === "drop") add(event.dataTransfer.files);
};
onhashchange = () => { adopt(); start(); };
onhashchange();
