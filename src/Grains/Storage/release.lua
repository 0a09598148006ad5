-- Marks a clean hand-over: the owner keeps nothing of the session in memory any more. The owner's nonce stays.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of the activation that owns it
-- ARGV[2]   keep: ms until the session's time is over
--
-- Reply: { outcome, key, owner, Redis time in ms }
--   written    marked
--   fenced     another owner has claimed it; then its name
--   missing    nothing is stored, or its time is over
--   tombstone  the session has ended; then the reason
local key, owner, keep = KEYS[1], unpack(ARGV, 1, 2)

if not (#ARGV == 2 and owner ~= '' and string.find(keep, '^[1-9]%d*$') and #keep <= 15) then
  return redis.error_reply('REFUSED release.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, owner, now, ... }
end

local reason, format, stored, name, grace = unpack(redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@grace'))
if reason then
  return reply('tombstone', reason)
end
if not format and redis.call('EXISTS', key) == 0 or grace and redis.call('PTTL', key) <= tonumber(grace) then
  return reply('missing')
end
if format ~= '1' then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
end
if stored ~= owner then
  return reply('fenced', name)
end

-- PEXPIRE first: Redis out of memory refuses HSET as a script's first write, and a hand-over needs no memory to speak of.
redis.call('PEXPIRE', key, grace and string.format('%.0f', keep + grace) or keep)
redis.call('HSET', key, '@released', '1')
return reply('written')
