-- Replays the requests of a file under wrk: one request a line, "METHOD<tab>path<tab>body". Arguments: the file, and
-- "checked" to look at every single answer. Everything is formatted before the clock starts, so that the load generator
-- takes as little as it can of the processors that the measured server needs.

local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(args)
  requests = {}
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
  -- Each thread starts elsewhere in the list, so the threads do not ask for the same rows at the same time.
  position = math.floor(#requests * thread_number / 2)
  if args[2] == "checked" then
    refused = 0
    response = function(status, headers, body)
      if status < 200 or status > 299 or #body == 0 then
        refused = refused + 1
        if refused == 1 then
          io.write(string.format("refused %d %s\n", status, body:sub(1, 300):gsub("%s+", " ")))
        end
      end
    end
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("total requests=%d duration_us=%d status=%d connect=%d read=%d write=%d timeout=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
