-- Says when a session is to be looked at for its events.
--
-- KEYS[1]   the part of the index that the session is in: a sorted set of handles by Redis time in ms
-- ARGV[1]   id: what the reply repeats
-- ARGV[2]   session: its handle
-- ARGV[3]   due: in how many ms, with up to 3 decimals; '' never
-- ARGV[4]   place: only where it still is as this script once answered; '' always
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    done; then its place
--   moved      somebody else has said something since
local key, id, session, due, place = KEYS[1], unpack(ARGV, 1, 4)

if not (#ARGV == 4 and id ~= '' and session ~= '' and (due == '' or string.find(due, '^%d+%.?%d*$') and #due <= 19)) then
  return redis.error_reply('REFUSED schedule.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local score = place ~= '' and redis.call('ZSCORE', key, session)
if place ~= '' and (not score or string.format('%.3f', score) ~= place) then
  return { 'moved', key, id, now }
end
if due == '' then
  redis.call('ZREM', key, session)
  return { 'written', key, id, now, '' }
end
local at = string.format('%.3f', now + tonumber(due))
redis.call('ZADD', key, at, session)
return { 'written', key, id, now, string.format('%.3f', redis.call('ZSCORE', key, session)) }
