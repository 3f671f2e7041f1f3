-- Asks two collections in turns under wrk, over the same connections: for a moment one, for the next the other, by the clock.
-- Arguments: each one's file of requests (see wrk.lua) and data key, how long a turn is, and how much of its
-- beginning does not count, both in milliseconds.

dofile("wrk.lua")
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
  local headers = { ["X-API-Key"] = key }
  for name, value in pairs(wrk.headers) do
    headers[name] = headers[name] or value
  end
  return read_requests(path, headers)
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
  write_total(summary, latency)
  for _, thread in ipairs(threads) do
    for turn, count in pairs(thread:get("asked")) do
      io.write(string.format("turn=%d asked=%d\n", turn, count))
    end
  end
end
