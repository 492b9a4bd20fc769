-- Reads, each of an address drawn at random.
--
--   wrk ... -s read.lua URL -- TOKENS ADDRESSES [follow]
--
-- TOKENS is a file of bearer tokens, one a line; ADDRESSES has lines of a
-- token's number, from 1, and a path. With `follow` a 302 is followed, without a
-- token, as clients fetch CSV, and only what is answered 200 counts.

local threads, requests, links = {}, {}, {}
local follow = false

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

local function get(path, token)
   local bearer = token and "Authorization: Bearer " .. token .. "\r\n" or ""
   return "GET " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
      .. bearer .. "\r\n"
end

function init(args)
   local tokens = {}
   for token in io.lines(args[1]) do table.insert(tokens, token) end
   for line in io.lines(args[2]) do
      local at, path = line:match("^(%d+) (.*)$")
      table.insert(requests, get(path, tokens[tonumber(at)]))
   end
   math.randomseed(number + 1)
   good, bad, example = 0, 0, ""
   if args[3] == "follow" then response = followed end
end

function request()
   local link = table.remove(links)
   return link or requests[math.random(#requests)]
end

function followed(status, headers, body)
   if status == 302 then
      table.insert(links, get(headers["location"]:gsub("^https?://[^/]*", ""), nil))
   elseif status == 200 then
      good = good + 1
   else
      bad = bad + 1
      if bad == 1 then example = status .. " " .. body end
   end
end

function done(summary, latency)
   local errors = summary.errors
   local good, bad, seen = summary.requests - errors.status, errors.status, ""
   if threads[1]:get("good") + threads[1]:get("bad") > 0 then
      good, bad = 0, 0
      for _, thread in ipairs(threads) do
         good, bad = good + thread:get("good"), bad + thread:get("bad")
         if thread:get("example") ~= "" then seen = thread:get("example") end
      end
   end
   io.write(string.format(
      '\n{"good": %d, "bad": %d, "broken": %d, "seconds": %f, "p50_us": %d, "p99_us": %d, "example": "%s"}\n',
      good, bad, errors.connect + errors.read + errors.write + errors.timeout,
      summary.duration / 1e6, latency:percentile(50), latency:percentile(99), (seen:gsub('[%c"\\]', "'"))))
end
