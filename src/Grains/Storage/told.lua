-- Remembers what has been told of a session's events.
--
-- KEYS[1]   the session
-- ARGV[1]   id: what the reply repeats
-- ARGV[2]   told: how many of its starts and rotations
-- ARGV[3]   end: '1' if its end has been told too, else '0'
-- ARGV[4]   tombstone: ms to keep the tombstone that is left then
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    done, or there was nothing to do
--   missing    nothing is stored
local key, id, told, over, tombstone = KEYS[1], unpack(ARGV, 1, 4)

if not (#ARGV == 4 and id ~= '' and string.find(told, '^%d+$') and #told <= 9 and (over == '0' or over == '1')
    and string.find(tombstone, '^[1-9]%d*$') and #tombstone <= 15) then
  return redis.error_reply('REFUSED told.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local reason, grace, before, from = unpack(redis.call('HMGET', key, '@ended', '@grace', '@told', '@from'))
if not grace then
  return { redis.call('EXISTS', key) == 1 and 'written' or 'missing', key, id, now }
end
if reason and over == '1' then
  redis.call('UNLINK', key)
  redis.call('HSET', key, '@ended', reason, unpack(from and { '@from', from } or {}))
  redis.call('PEXPIRE', key, tombstone)
elseif tonumber(told) > tonumber(before or 0) then
  redis.call('HSET', key, '@told', told)
end
return { 'written', key, id, now }
