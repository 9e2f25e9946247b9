// Readings from the server that shows this page: POST v1/read, see docs/serving.md.
import { PageError } from "./errors.js";
import { fileOf } from "./picture.js";

export const TOKEN = "glyphlet-token"; // of the session: kept until the browser's tab is closed
const address = (path) => new URL(path, document.baseURI);

export async function startEngine() {
  const model = await answer(await ask(address("v1/model")));
  return {
    name: model.name,
    about: "The image is sent to the server of this page, which reads it.",
    licences: false,
    patterns: model.head !== "sequence",
    read,
  };
}

async function read(picture, pattern) {
  const place = address("v1/read");
  if (pattern) place.searchParams.set("pattern", pattern);
  const file = await fileOf(picture);
  const headers = { "Content-Type": file.type.startsWith("image/") ? file.type : "image/png" };
  const { readings } = await answer(await ask(place, { method: "POST", body: file, headers }), pattern);
  return readings[0];
}

async function ask(place, { headers = {}, ...options } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  try {
    return await fetch(place, { ...options, headers: token ? { ...headers, Authorization: `Bearer ${token}` } : headers });
  } catch {
    throw new PageError("The server does not answer", { next: "check that it runs, and try again" });
  }
}

async function answer(response, pattern = "") {
  const found = await response.json().catch(() => null);
  if (response.ok && found) return found;
  const { problem, allowed, next } = found?.error ?? {};
  if (response.status === 401) throw new PageError("This server wants a token", { next: "give the one that it was started with", about: "token" });
  const ofPattern = pattern && /pattern/.test(problem ?? "");
  throw new PageError(problem ?? `The server answers ${response.status}`, { allowed, next, about: ofPattern ? "pattern" : "" });
}
