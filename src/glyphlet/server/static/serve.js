"use strict";

const element = (id) => document.getElementById(id);

function show(rows) {
  const body = element("readings").tBodies[0];
  body.replaceChildren();
  for (const row of rows) {
    const cells = body.insertRow();
    for (const text of row) cells.insertCell().textContent = text;
  }
  element("readings").hidden = rows.length === 0;
}

function sentence(error) {
  return [error.problem, error.next && `Next: ${error.next}`].filter(Boolean).join(". ");
}

async function read(event) {
  event.preventDefault();
  const files = [...element("images").files];
  const form = new FormData();
  for (const file of files) form.append("image", file);
  const pattern = element("pattern").value;
  const token = element("token").value;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  element("message").textContent = "Reading";
  show([]);
  try {
    const query = pattern ? `?pattern=${encodeURIComponent(pattern)}` : "";
    const response = await fetch(`v1/read${query}`, { method: "POST", body: form, headers });
    const answer = await response.json();
    element("message").textContent = response.ok ? "" : sentence(answer.error);
    if (response.ok) {
      show(answer.readings.map((reading, n) => reading.error
        ? [files[n].name, sentence(reading.error), ""]
        : [files[n].name, reading.text || reading.reason || "", reading.confidence.toFixed(3)]));
    }
  } catch (error) {
    element("message").textContent = `The server did not answer (${error.message}).`;
  }
}

element("form").addEventListener("submit", read);
