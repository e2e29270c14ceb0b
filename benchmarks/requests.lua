-- What wrk sends: one operation, or the mix, for random users and random tasks.
--
--   wrk … -s requests.lua URL -- OPERATION SEED TOKENS TASKS PART PARTS
--
-- TOKENS is a file with a token of each user, one a line. Only users whose number
-- leaves the remainder PART when divided by PARTS are taken; each has TASKS tasks.
-- The last line that is printed is JSON: what wrk has measured.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

function init(arguments)
  operation = arguments[1]
  math.randomseed(tonumber(arguments[2]) * 100 + thread_number)
  tasks = tonumber(arguments[4])
  part, parts = tonumber(arguments[5]), tonumber(arguments[6])
  tokens = {}
  for token in io.lines(arguments[3]) do tokens[#tokens + 1] = token end
  users_of_part = math.ceil((#tokens - part) / parts)
  creators = math.ceil(users_of_part / 5)
end

-- A fifth of the users create, the others do all else. Else who creates faster would
-- have longer lists to read.
local function pick()
  if operation == "create" then return users_of_part - math.random(creators) end
  return math.random(math.max(1, users_of_part - creators)) - 1
end

-- The ids are those of load.py.
local function task_path(user)
  local number = 1e11 + user * 1e7 + math.random(tasks)
  return string.format("/api/tasks/01970000-0000-7000-8000-%.0f", number)
end

local titled = '{"title": "Call the plumber about the kitchen", "priority": "high"}'

local operations = {
  floor = function() return "GET", "/floor" end,
  get = function(user) return "GET", task_path(user) end,
  list = function() return "GET", "/api/tasks?limit=20" end,
  create = function() return "POST", "/api/tasks", titled end,
  update = function(user) return "PATCH", task_path(user), titled end,
  toggle = function(user) return "PATCH", task_path(user) .. "/complete" end,
}

-- 70 % lists of 20, 20 % single tasks, 10 % writes.
function operations.mix(user)
  local dice = math.random(10)
  local chosen = dice <= 7 and "list" or dice <= 9 and "get" or "toggle"
  return operations[chosen](user)
end

function request()
  local user = part + parts * pick()
  local method, path, body = operations[operation](user)
  local headers = { ["Authorization"] = "Bearer " .. tokens[user + 1] }
  if body then headers["Content-Type"] = "application/json" end
  return wrk.format(method, path, headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format(
    '{"requests": %d, "seconds": %f, "errors": %d, "p50_ms": %f, "p99_ms": %f, "p999_ms": %f}',
    summary.requests, summary.duration / 1e6, errors.status + lost,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3))
end
