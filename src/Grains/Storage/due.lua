-- Takes sessions that are to be looked at for their events, and puts them off: whoever takes them has that long.
--
-- KEYS[1]   a part of the index: a sorted set of handles by Redis time in ms
-- ARGV[1]   id: what the reply repeats
-- ARGV[2]   most: how many at most
-- ARGV[3]   hold: by how many ms they are put off
--
-- Reply: { outcome, key, id, Redis time in ms }
--   due        then their handles
local key, id, most, hold = KEYS[1], unpack(ARGV, 1, 3)

if not (#ARGV == 3 and id ~= '' and string.find(most, '^[1-9]%d*$') and #most <= 4 and string.find(hold, '^[1-9]%d*$')
    and #hold <= 15) then
  return redis.error_reply('REFUSED due.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%.0f', now), 'LIMIT', 0, most)
local later = string.format('%.0f', now + tonumber(hold))
for _, session in ipairs(due) do
  redis.call('ZADD', key, later, session)
end
return { 'due', key, id, now, due }
