// What the page asks of the server, relative to where the page is, and how errors are put into words.

const base = new URL(".", document.baseURI);
const KEY = "calotype-token";
const headers = () => (sessionStorage.getItem(KEY) ? { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` } : {});
let locked = false; // pictures are private: an <img> alone cannot have them

export const keep = (token) => sessionStorage.setItem(KEY, token.trim());

/** Take the token out of the address, so that it is neither bookmarked nor seen. */
export function adopt() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  keep(given);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Ask for something, with a JSON body or none; return the parsed answer, or throw an Error that is in words. */
export async function ask(method, path, body) {
  const sent = { method, headers: headers() };
  if (body) Object.assign(sent.headers, { "Content-Type": "application/json" });
  if (body) sent.body = JSON.stringify(body);
  const answer = await fetch(new URL(path, base), sent).catch(() => { throw failure(0); });
  if (!answer.ok) throw failure(answer.status, await answer.json().catch(() => null));
  return answer.status === 204 ? null : answer.json();
}

function failure(status, problem) {
  if (status === 401) document.dispatchEvent(new Event("unauthenticated"));
  const words = status ? `The server answered ${status}.` : "The server cannot be reached. Is it running?";
  return new Error(problem?.detail || problem?.title || words);
}

/** Send one file; `progress` is told how many of its bytes are sent, which fetch does not tell. */
export function upload(file, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", new URL(`api/assets?filename=${encodeURIComponent(file.name)}`, base));
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onerror = () => failed(failure(request.status, request.response));
    request.onload = () => (request.status < 300 ? done(request.response) : request.onerror());
    request.send(file);
  });
}

/** The address of bytes for this page, wherever a proxy or an application has put it. */
const near = (url) => new URL(url.slice(url.lastIndexOf("/blobs/") + 1), base).href;

/** The address to give away: the public one if the server has one. */
export const address = (asset) => (/^https?:/.test(asset.url) ? asset.url : near(asset.url));

/** Show bytes in an <img>, with the token where they are private; `failed` is called when they are no picture. */
export function show(image, url, failed) {
  const from = near(url);
  image.dataset.from = from;
  const fetched = async () => {
    const answer = await fetch(from, { headers: headers() }).catch(() => null);
    if (image.dataset.from !== from) return; // it has another picture by now
    if (!answer?.ok) return failed();
    const copy = URL.createObjectURL(await answer.blob());
    const seen = () => { locked = true; image.style.backgroundImage = ""; URL.revokeObjectURL(copy); };
    Object.assign(image, { onload: seen, onerror: failed, src: copy });
  };
  if (locked) fetched();
  else Object.assign(image, { onload: () => { image.style.backgroundImage = ""; }, onerror: fetched, src: from });
}
