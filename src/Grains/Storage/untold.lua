-- Reads what has happened to a session with events, and what of it has been told. Changes nothing.
--
-- KEYS[1]   the session
-- ARGV[1]   request: the id that the reply repeats
--
-- Reply: { outcome, key, request, Redis time in ms }
--   untold     then how many of its starts and rotations have been told, the reason of its end ('' while it has none), ms of its own time
--              that are left (0 or less: none), whether its absolute end is over ('1' or ''), and the whole hash
--   tombstone  the session has ended, and all was told; then the reason
--   missing    nothing is stored, or a session without events
local key, request = KEYS[1], ARGV[1]

if not (#ARGV == 1 and request ~= '') then
  return redis.error_reply('REFUSED untold.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, request, now, ... }
end

local reason, grace, told, ending = unpack(redis.call('HMGET', key, '@ended', '@grace', '@told', '@until'))
if not grace then
  return reply(reason and 'tombstone' or 'missing', reason or nil)
end
return reply('untold', told or '0', reason or '', redis.call('PTTL', key) - tonumber(grace),
  ending and tonumber(ending) <= now and '1' or '', redis.call('HGETALL', key))
