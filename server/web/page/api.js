// What the page asks of the server, relative to where the page is, and how errors are put into words.

const base = new URL(".", document.baseURI);
const KEY = "calotype-token";
export const keep = (token) => sessionStorage.setItem(KEY, token.trim());

/** Take the token out of the address, so that it is neither bookmarked nor seen. */
export function adopt() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) keep(given);
  if (given) history.replaceState(null, "", location.pathname + location.search);
}

/** Ask for something, with a JSON value, a file or nothing; return the finished request, or throw an Error in words. */
export function ask(method, path, { json, file, match, progress = null, want = "json" } = {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much of a file is sent
    request.open(method, new URL(path, base));
    request.responseType = want;
    const token = sessionStorage.getItem(KEY);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    if (match) request.setRequestHeader("If-Match", match);
    if (json || file) request.setRequestHeader("Content-Type", json ? "application/json" : file.type || "application/octet-stream");
    request.upload.onprogress = progress;
    request.onerror = () => failed(failure(0));
    request.onload = async () => {
      if (request.status < 300) return done(request);
      const said = want === "json" ? request.response : await new Response(request.response).json().catch(() => null);
      failed(failure(request.status, said?.items?.[0].problem ?? said));
    };
    request.send(json ? JSON.stringify(json) : file);
  });
}

function failure(status, problem) {
  if (status === 401) document.dispatchEvent(new Event("unauthenticated"));
  const words = status ? `The server answered ${status}.` : "The server cannot be reached. Is it running?";
  return Object.assign(new Error(problem?.detail || problem?.title || words), { status });
}

/** Where bytes are for this page, wherever a proxy or an application has put it. */
export const near = (url) => new URL(url.slice(url.lastIndexOf("/blobs/") + 1), base).href;

/** Show a picture, which may be one that an <img> gets only with the token; `failed` is called when it is none. */
export async function show(image, url, failed) {
  const { response } = await ask("GET", near(url), { want: "blob" }).catch(() => ({}));
  if (!response) return failed();
  image.onload = () => { image.style.backgroundImage = ""; URL.revokeObjectURL(image.src); };
  Object.assign(image, { onerror: failed, src: URL.createObjectURL(response) });
}
