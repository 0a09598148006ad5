-- Sends the cookies in the file given after "--" in turn, so that as many sessions are in play as the file has lines.
--
-- With "Zipf" behind the file by Zipf's law with exponent 1: the session in line n is asked for one n-th as often as the first. Of five
-- requests four read and one writes. All is drawn beforehand, from a fixed seed, so that every server gets the same sequence and drawing
-- costs nothing while time is measured.
local seed, draws, writes = 42, 131072, 0.2
local cookies, zipf = {}, false
-- What is asked for, one number each: twice the line of the cookie, and one more for a write.
local sequence, turn, ready = {}, 0, {}

-- The first line whose cumulated weight is not below the target.
local function line_at(cumulated, target)
  local low, high = 1, #cumulated
  while low < high do
    local middle = math.floor((low + high) / 2)
    if cumulated[middle] < target then low = middle + 1 else high = middle end
  end
  return low
end

local function draw()
  local cumulated, sum = {}, 0
  for line = 1, #cookies do
    sum = sum + 1 / line
    cumulated[line] = sum
  end
  math.randomseed(seed)
  for i = 1, draws do
    sequence[i] = 2 * line_at(cumulated, math.random() * sum) + (math.random() < writes and 1 or 0)
  end
end

local function text_of(number)
  local path = nil
  if zipf then path = number % 2 == 0 and "/read" or "/write" end
  return wrk.format(nil, path, { Cookie = cookies[math.floor(number / 2)] })
end

function init(args)
  for cookie in io.lines(args[1]) do
    cookies[#cookies + 1] = cookie
    sequence[#cookies] = 2 * #cookies
  end
  zipf = args[2] == "Zipf"
  if zipf then
    sequence = {}
    draw()
  end
end

function request()
  turn = turn % #sequence + 1
  local number = sequence[turn]
  ready[number] = ready[number] or text_of(number)
  return ready[number]
end

-- What the bench reads: requests, microseconds, failures, median and 99th percentile of the latency in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
