// What the page asks of the server, relative to where the page is, and how errors are put into words.

const base = new URL(".", document.baseURI);
const KEY = "calotype-token";
let needsToken = false; // pictures are private: <img> alone cannot have them

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value.trim()),
  /** Take the token out of the address, so that it is neither bookmarked nor seen. */
  adopt() {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) token.set(given);
    if (given) history.replaceState(null, "", location.pathname + location.search);
  },
};

const headers = () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {});

/** Ask; return the parsed answer, or throw an Error in words with the answer's `status` (0: no answer). */
export async function ask(method, path, body) {
  const sent = body === undefined ? {} : { "Content-Type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
  let answer;
  try {
    answer = await fetch(new URL(path, base), { method, headers: { ...headers(), ...sent }, body: body && JSON.stringify(body) });
  } catch {
    throw failure(0);
  }
  if (!answer.ok) throw failure(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
}

function failure(status, problem = {}) {
  const words = status ? `The server answered ${status}.` : "The server cannot be reached. Is it running?";
  if (status === 401) document.dispatchEvent(new Event("unauthenticated"));
  return Object.assign(new Error(problem.detail || problem.title || words), { status });
}

/** Send one file; `progress` is told how many of its bytes are sent. (fetch does not tell that.) */
export function upload(file, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const fail = () => failed(failure(request.status, request.response || {}));
    request.open("POST", new URL(`api/assets?filename=${encodeURIComponent(file.name)}`, base));
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => (request.status < 300 ? done(request.response) : fail());
    request.onerror = fail;
    request.send(file);
  });
}

/** The address of bytes for this page, wherever a proxy or an application has put it. */
const near = (url) => new URL(url.slice(url.lastIndexOf("/blobs/") + 1), base).href;

/** The address to give away: the public one if the server has one. */
export const address = (asset) => (/^https?:/.test(asset.url) ? asset.url : near(asset.url));

/** Show bytes in an <img>; with the token where they are private. */
export async function show(image, url, failed) {
  const from = near(url);
  image.dataset.from = from;
  const fetched = async () => {
    const answer = await fetch(from, { headers: headers() }).catch(() => null);
    if (image.dataset.from !== from) return; // it has another picture by now
    if (!answer?.ok) return failed();
    image.onerror = failed;
    image.onload = () => { needsToken = true; URL.revokeObjectURL(image.src); };
    image.src = URL.createObjectURL(await answer.blob());
  };
  image.onerror = fetched;
  image.onload = null;
  if (needsToken) await fetched();
  else image.src = from;
}
