-- What the scripts of this folder share: requests read from a file, and the line that `wrk.py` reads at the end.

-- One request a line: "METHOD<tab>path<tab>body". Without headers, those of the command line go with it.
function read_requests(path, headers)
  local requests = {}
  for line in io.lines(path) do
    local method, target, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, target, headers, body ~= "" and body or nil)
  end
  return requests
end

function write_total(summary, latency)
  local errors = summary.errors
  io.write(string.format("total requests=%d duration_us=%d status=%d connect=%d read=%d write=%d timeout=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
