-- Replays the requests of a file under wrk (see wrk.lua). Arguments: the file, and
-- "checked" to look at every single answer. Everything is formatted before the clock starts, so that the load generator
-- takes as little as it can of the processors that the measured server needs.

dofile("wrk.lua")
local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(args)
  requests = read_requests(args[1])
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
  write_total(summary, latency)
end
