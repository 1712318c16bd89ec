// The description of the API, made from openapi.json.
const calls = document.getElementById("calls");

function element(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function properties(schema) {
  const table = element("table");
  for (const [name, p] of Object.entries(schema.properties ?? {})) {
    const limits = [p.minimum, p.maximum].every((n) => n !== undefined) ? `${p.minimum} to ${p.maximum}` : "";
    const line = element("tr");
    const type = [p.type ?? ""].flat().join(" or ");
    for (const cell of [name, type, limits || (p.enum ?? []).join(", "), p.description ?? ""]) {
      line.append(element("td", cell));
    }
    table.append(line);
  }
  return table;
}

const api = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, call] of Object.entries(methods)) {
    const box = element("details");
    const title = element("summary");
    title.append(element("b", method.toUpperCase()), element("code", ` ${path} `), element("span", call.summary ?? ""));
    box.append(title);
    const body = call.requestBody?.content["application/json"]?.schema;
    if (body) box.append(element("h3", "Body"), properties(body));
    const answers = element("table");
    for (const [code, answer] of Object.entries(call.responses)) {
      const line = element("tr");
      line.append(element("td", code), element("td", answer.description), element("td", Object.keys(answer.content ?? {}).join(", ")));
      answers.append(line);
    }
    box.append(element("h3", "Answers"), answers);
    calls.append(box);
  }
}
