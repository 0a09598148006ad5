-- Says that the sessions of a user were ended together: silos hear of it with their next probe.
--
-- KEYS[1]   what all users' marks are announced in
-- ARGV[1]   id: another one for each call; the reply repeats it
-- ARGV[2]   part: which of the users it concerns, a number
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    done
local key, id, part = KEYS[1], unpack(ARGV, 1, 2)

if not (#ARGV == 2 and id ~= '' and string.find(part, '^%d+$') and #part <= 3) then
  return redis.error_reply('REFUSED marked.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
-- The id, and not a count: after a loss of data a count could be again what it was. HDEL first, as in warn.lua.
redis.call('HDEL', key, part)
redis.call('HSET', key, part, id)
return { 'written', key, id, time[1] * 1000 + math.floor(time[2] / 1000) }
