"""/docs: the API on one page without any script or style from elsewhere, for networks that are closed."""

from fastapi import APIRouter, Response

# The page may run its own script and ask this server, nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Yigong Gateway API</title>
<meta name="viewport" content="width=device-width">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
code { font-size: .95em; } summary { cursor: pointer; padding: .2rem 0; } input { font: inherit; width: 100%; }
b { display: inline-block; min-width: 4rem; } td { padding-right: 1rem; vertical-align: top; }
</style>
<h1>Yigong Gateway 医共体互联互通网关</h1>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>,
<a href="/fhir/metadata?_pretty=true">/fhir/metadata</a>.
Health: <a href="/health/ready">/health/ready</a>. Numbers: <a href="/metrics">/metrics</a>.</p>
<label>Find a path, such as Observation <input id="find" type="search"></label>
<div id="list" aria-live="polite">Loading…</div>
<noscript>This page lists the paths with a script; without one read /openapi.json.</noscript>
<script>
const list = document.getElementById("list"), find = document.getElementById("find");
const make = (name, text) => { const made = document.createElement(name); made.textContent = text || ""; return made; };
function row(method, path, about) {
  const made = make("details"), head = make("summary");
  head.append(make("b", method.toUpperCase()), make("code", path), " " + (about.summary || ""));
  made.append(head);
  made.ontoggle = () => { if (made.open && made.children.length < 2) made.append(names(about.parameters || [])); };
  return made;
}
function names(parameters) {
  const table = make("table");
  for (const told of parameters) {
    const one = told.$ref ? shared[told.$ref.split("/").pop()] : told;
    const line = make("tr"); line.append(make("td", one.name), make("td", one.in), make("td", one.description));
    table.append(line);
  }
  return parameters.length ? table : make("p", "No parameters.");
}
function show(paths) {
  const wanted = find.value.toLowerCase(), rows = [];
  for (const [path, methods] of Object.entries(paths))
    for (const [method, about] of Object.entries(methods))
      if ((path + " " + about.summary).toLowerCase().includes(wanted)) rows.push(row(method, path, about));
  list.replaceChildren(...rows.slice(0, 100), make("p", rows.length + " operations."));
}
let shared = {};
fetch("/openapi.json").then(answer => answer.json()).then(api => {
  shared = api.components.parameters;
  show(api.paths); find.oninput = () => show(api.paths);
}).catch(() => { list.textContent = "The list could not be loaded."; });
</script></html>
"""


def router() -> APIRouter:
    """Return the route /docs."""
    routes = APIRouter()

    @routes.get("/docs", include_in_schema=False)
    def page() -> Response:
        return Response(_PAGE, media_type="text/html", headers={"content-security-policy": _POLICY})

    return routes
