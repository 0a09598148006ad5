-- Warns an owner of sessions that one of them was claimed which it had not handed over. It finds that with its next probe.
--
-- KEYS[1]   the owner's warning
-- ARGV[1]   id: another one for each warning; the reply repeats it
-- ARGV[2]   keep: ms to keep it
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    done
local key, id, keep = KEYS[1], unpack(ARGV, 1, 2)

if not (#ARGV == 2 and id ~= '' and string.find(keep, '^[1-9]%d*$') and #keep <= 15) then
  return redis.error_reply('REFUSED warn.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
-- HDEL first: Redis out of memory refuses HSET as a script's first write, and claiming a session must go on then.
redis.call('HDEL', key, '@last')
redis.call('HSET', key, '@last', id)
redis.call('PEXPIRE', key, keep)
return { 'written', key, id, time[1] * 1000 + math.floor(time[2] / 1000) }
