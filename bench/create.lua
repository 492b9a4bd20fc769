-- Creates, each with a fact of its own, each answer looked at.
--
--   wrk ... -s create.lua URL -- SECONDS RUN TOKENS
--
-- RUN makes the facts of one run differ from those of another; TOKENS is a file
-- of bearer tokens, one a line, that take turns. What is created is what a job
-- adds night by night: the four reports' rows of one more day.
--
-- wrk ends by the clock and drops what is under way then, so that nobody knows
-- whether it was stored. Here each thread stops asking after SECONDS: an empty
-- request leaves a connection idle, and -d, a second longer, lets all answers come.

local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } rollcall_time; int clock_gettime(int, rollcall_time *);")

local PERIODS = { "7", "30", "90", "180" }
-- 1600-01-01 as days from 1970: 400 years of days for the facts of one run.
local FIRST_DAY = -135140

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

local time = ffi.new("rollcall_time")
local function now()
   ffi.C.clock_gettime(1, time)
   return tonumber(time.s) + tonumber(time.ns) / 1e9
end

-- Howard Hinnant's days-to-civil algorithm.
local function date_of(day)
   local z = day + 719468
   local era = math.floor(z / 146097)
   local doe = z - era * 146097
   local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)
      - math.floor(doe / 146096)) / 365)
   local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
   local mp = math.floor((5 * doy + 2) / 153)
   local d = doy - math.floor((153 * mp + 2) / 5) + 1
   local m = mp < 10 and mp + 3 or mp - 9
   local y = yoe + era * 400 + (m <= 2 and 1 or 0)
   return string.format("%04d-%02d-%02d", y, m, d)
end

local heads, dates, behind = {}, {}, 0

function init(args)
   seconds, run = tonumber(args[1]), tonumber(args[2])
   for token in io.lines(args[3]) do
      heads[#heads + 1] = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
         .. "\r\nAuthorization: Bearer " .. token
         .. "\r\nContent-Type: application/json\r\nContent-Length: "
   end
   -- Threads and runs differ in how far the refresh date is behind the day.
   behind = run * 2 + number
   sent, created, refused, began, ended = 0, 0, 0, 0, 0
   example = ""
end

local function date(day)
   local text = dates[day]
   if not text then
      text = date_of(day)
      dates[day] = text
   end
   return text
end

function request()
   local at = now()
   if began == 0 then began = at end
   if at - began > seconds then return "" end
   local n = sent
   sent = n + 1
   local day = FIRST_DAY + math.floor(n / #PERIODS)
   local body = '{"reportRefreshDate":"' .. date(day + behind)
      .. '","office365":' .. 1000 + n % 97 .. ',"exchange":' .. 900 + n % 89
      .. ',"oneDrive":' .. 700 + n % 83 .. ',"sharePoint":' .. 600 + n % 79
      .. ',"skypeForBusiness":0,"yammer":' .. n % 7 .. ',"teams":' .. 800 + n % 73
      .. ',"reportDate":"' .. date(day)
      .. '","reportPeriod":"' .. PERIODS[n % #PERIODS + 1] .. '"}'
   return heads[n % #heads + 1] .. #body .. "\r\n\r\n" .. body
end

function response(status, _, body)
   if status == 201 then
      created = created + 1
   else
      refused = refused + 1
      if refused == 1 then example = status .. " " .. body end
   end
   ended = now()
end

function done(summary, latency)
   local sum = { sent = 0, created = 0, refused = 0 }
   local first, last, seen = math.huge, 0, ""
   for _, thread in ipairs(threads) do
      for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
      first, last = math.min(first, thread:get("began")), math.max(last, thread:get("ended"))
      if thread:get("example") ~= "" then seen = thread:get("example") end
   end
   local errors = summary.errors
   io.write(string.format(
      '\n{"good": %d, "bad": %d, "sent": %d, "broken": %d, "seconds": %f, "p50_us": %d, "p99_us": %d, "example": "%s"}\n',
      sum.created, sum.refused, sum.sent, errors.connect + errors.read + errors.write + errors.timeout,
      last - first, latency:percentile(50), latency:percentile(99), (seen:gsub('[%c"\\]', "'"))))
end
