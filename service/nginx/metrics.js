// Metrics of the storefront. nginx writes one byte into `counts/RESULT` for each answer out of the cache's hands; here
// the bytes become totals and the files empty again. There is one worker, and nothing in `fold` lets go of it.
import fs from "fs";

const RESULTS = ["hit", "miss", "stale"];

function totals(folder) {
  try {
    return JSON.parse(fs.readFileSync(folder + "totals.json", "utf8"));
  } catch (error) {
    return {};
  }
}

function fold(folder) {
  const now = totals(folder);
  let changed = false;
  RESULTS.forEach((result) => {
    const file = folder + result;
    const size = fs.statSync(file).size;
    now[result] = (now[result] || 0) + size;
    if (size > 0) {
      fs.writeFileSync(file, "");
      changed = true;
    }
  });
  if (changed) {
    fs.writeFileSync(folder + "totals.json", JSON.stringify(now));
  }
  return now;
}

// The platform asks every few seconds, so that the counts stay small even where nobody reads the metrics.
function ready(r) {
  fold(r.variables.counts);
  r.headersOut["Content-Type"] = "text/plain";
  r.return(200, "ready\n");
}

function show(r) {
  r.subrequest("/status", (reply) => answer(r, reply.responseText));
}

function answer(r, status) {
  const active = /Active connections: (\d+)/.exec(status)[1];
  const requests = /\n\s*\d+ \d+ (\d+)/.exec(status)[1];
  const counts = fold(r.variables.counts);
  const lines = [
    "# HELP nginx_connections_active Client connections, waiting ones too.",
    "# TYPE nginx_connections_active gauge",
    "nginx_connections_active " + active,
    "# HELP nginx_http_requests_total Requests since the start.",
    "# TYPE nginx_http_requests_total counter",
    "nginx_http_requests_total " + requests,
    "# HELP shop_frontend_cache_requests_total Requests for the catalogue, by what the cache did.",
    "# TYPE shop_frontend_cache_requests_total counter",
  ].concat(RESULTS.map((result) => 'shop_frontend_cache_requests_total{result="' + result + '"} ' + counts[result]));
  r.headersOut["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8";
  r.return(200, lines.join("\n") + "\n");
}

export default { ready, show };
