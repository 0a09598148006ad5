-- Tells at which version a session is and who owns it. Reads only: nobody is fenced.
--
-- KEYS[1]   the session
-- ARGV[1]   request: the id that the reply repeats
--
-- Reply: { outcome, key, request, Redis time in ms }
--   found      it is there; then its version as text, its owner's nonce, its owner's name, its released mark ('1' or '')
--   missing    nothing is stored, or its time is over
--   tombstone  the session has ended; then the reason
local key, request = KEYS[1], ARGV[1]

if not (#ARGV == 1 and request ~= '') then
  return redis.error_reply('REFUSED peek.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, request, now, ... }
end

local reason, format, owner, name, version, released, grace = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@version', '@released', '@grace'))
if reason then
  return reply('tombstone', reason)
end
if not format and redis.call('EXISTS', key) == 0 or grace and redis.call('PTTL', key) <= tonumber(grace) then
  return reply('missing')
end
if format ~= '1' or not string.find(version or '', '^[1-9]%d*$') then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
end

return reply('found', version, owner or '', name or '', released or '')
