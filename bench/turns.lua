-- Asks two collections in turns under wrk, over the same connections: for a moment one, for the next the other, by the clock.
-- Arguments: each one's file of requests (as replay.lua reads them) and data key, how long a turn is, and how much of its
-- beginning does not count, both in milliseconds.

local ffi = require("ffi")
ffi.cdef [[
  struct timespec { long seconds; long nanoseconds; };
  int clock_gettime(int clock, struct timespec *time);
]]
local MONOTONIC = 1
local time = ffi.new("struct timespec")
local threads = {}

function setup(thread)
  thread:set("thread_number", #threads)
  threads[#threads + 1] = thread
end

local function read(path, key)
  local headers, requests = { ["X-API-Key"] = key }, {}
  for name, value in pairs(wrk.headers) do
    headers[name] = headers[name] or value
  end
  for line in io.lines(path) do
    local method, target, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, target, headers, body ~= "" and body or nil)
  end
  return requests
end

function init(args)
  collections = { read(args[1], args[2]), read(args[3], args[4]) }
  turn_ms, settle_ms = tonumber(args[5]), tonumber(args[6])
  position = math.floor(#collections[1] * thread_number / 2)
  asked = {}
end

function request()
  ffi.C.clock_gettime(MONOTONIC, time)
  local now_ms = tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1000000
  local turn = math.floor(now_ms / turn_ms)
  if now_ms - turn * turn_ms >= settle_ms then
    asked[turn] = (asked[turn] or 0) + 1
  end
  local requests = collections[turn % 2 + 1]
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("total requests=%d duration_us=%d status=%d connect=%d read=%d write=%d timeout=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
  for _, thread in ipairs(threads) do
    for turn, count in pairs(thread:get("asked")) do
      io.write(string.format("turn=%d asked=%d\n", turn, count))
    end
  end
end
