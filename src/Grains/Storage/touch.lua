-- Sets how long the session is kept from now on.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of the activation that owns it
-- ARGV[2]   version: the version that the owner knows
-- ARGV[3]   keep: ms until the session's time is over
--
-- Reply: { outcome, key, owner, Redis time in ms }
--   written    done
--   fenced     another owner has claimed it; then its name
--   behind     the stored version is lower: Redis lost data
--   ahead      the stored version is higher
--   missing    nothing is stored, or its time is over
--   tombstone  the session has ended; then the reason
local key, owner, expected, keep = KEYS[1], unpack(ARGV, 1, 3)

if not (#ARGV == 3 and owner ~= '' and string.find(expected, '^%d+$') and string.find(keep, '^[1-9]%d*$') and #keep <= 15) then
  return redis.error_reply('REFUSED touch.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, owner, now, ... }
end

local reason, format, stored, name, version, grace = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@version', '@grace'))
if reason then
  return reply('tombstone', reason)
end
if not format and redis.call('EXISTS', key) == 0 or grace and redis.call('PTTL', key) <= tonumber(grace) then
  return reply('missing')
end
if format ~= '1' or not string.find(version or '', '^[1-9]%d*$') then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
end
if stored ~= owner then
  return reply('fenced', name)
end
if version ~= expected then
  -- As text: a Lua number holds no more than 53 bits.
  local lower = #version < #expected or #version == #expected and version < expected
  return reply(lower and 'behind' or 'ahead')
end

redis.call('PEXPIRE', key, grace and string.format('%.0f', keep + grace) or keep)
return reply('written')
