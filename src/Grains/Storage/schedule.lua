-- Says when a session is to be looked at for its events.
--
-- KEYS[1]   the part of the index that the session is in: a sorted set of handles by Redis time in ms
-- ARGV[1]   id: what the reply repeats
-- ARGV[2]   session: its handle
-- ARGV[3]   due: in how many ms, '' never
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    done
local key, id, session, due = KEYS[1], unpack(ARGV, 1, 3)

if not (#ARGV == 3 and id ~= '' and session ~= '' and (due == '' or string.find(due, '^[1-9]%d*$') and #due <= 15)) then
  return redis.error_reply('REFUSED schedule.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if due == '' then
  redis.call('ZREM', key, session)
else
  redis.call('ZADD', key, string.format('%.0f', now + tonumber(due)), session)
end
return { 'written', key, id, now }
