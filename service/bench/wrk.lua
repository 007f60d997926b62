-- For wrk. Says what happened as JSON. With BENCH_PRODUCT each request orders one piece of it, with a key of its own.
local threads = {}
local product = os.getenv("BENCH_PRODUCT")
local run = os.getenv("BENCH_RUN") or "0"

function setup(thread)
  table.insert(threads, thread)
end

placed, shed, other = 0, 0, 0

if product then
  local count = 0
  local body = '{"lines":[{"product":"' .. product .. '","quantity":1}],"payment":"cod","language":"bn","shipping":'
    .. '{"name":"ক্রেতা","phone":"01712345678","district":"dhaka","address":"বাড়ি ১২, সড়ক ৫"}}'
  local headers = { ["Content-Type"] = "application/json" }

  function request()
    count = count + 1
    headers["Idempotency-Key"] = string.format("bench-%s-%012d", run, count)
    headers["X-Client-Address"] = string.format("10.%d.%d.%d", count / 65536 % 256, count / 256 % 256, count % 256)
    return wrk.format("POST", "/api/v1/orders", headers, body)
  end

  function response(status)
    if status == 201 then
      placed = placed + 1
    elseif status == 503 then
      shed = shed + 1
    else
      other = other + 1
    end
  end
end

function done(summary, latency)
  local said = { placed = 0, shed = 0, other = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(said) do
      said[name] = said[name] + thread:get(name)
    end
  end
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'BENCH {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "statuses": %d, "failed": %d, "placed": %d, "shed": %d, "other": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status, failed, said.placed, said.shed, said.other))
end
