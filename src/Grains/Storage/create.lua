-- Creates a session that is not there. No other script does, so nothing that comes late revives a session.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of the activation that owns it from now on
-- ARGV[2]   silo: the owner's name
-- ARGV[3]   deadline: the Redis time in ms up to which the create is accepted
-- ARGV[4]   lifetime: ms until the session's absolute end, '' for none
-- ARGV[5]   keep: ms until its time is over, and Redis drops it
-- ARGV[6]   grace: ms by which Redis drops it later than that, so that its end can be told; '' where it has no events
-- ARGV[7]   to: its version
-- ARGV[8..] fields to set: field, value, field, value ...; the first is the ring slot of the first delta, its value begins with the
--           request id
--
-- Reply: { outcome, key, request id, Redis time in ms }
--   written    stored
--   already    this request has created it before
--   exists     the handle is taken
--   tombstone  a session under this handle has ended; then the reason
--   late       the deadline is over
local key, owner, silo, deadline, lifetime, keep, grace, to = KEYS[1], unpack(ARGV, 1, 7)
local slot, id = ARGV[8], string.sub(ARGV[9] or '', 1, 22)

local function number(text)
  return text and string.find(text, '^[1-9]%d*$') and #text <= 15
end

if not (#ARGV >= 9 and #ARGV % 2 == 1 and owner ~= '' and number(deadline) and (lifetime == '' or number(lifetime)) and number(keep)
    and (grace == '' or number(grace)) and string.find(to, '^[1-9]%d*$') and string.find(slot, '^@r%d+$') and #id == 22) then
  return redis.error_reply('REFUSED create.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, id, now, ... }
end

local reason, format, entry = unpack(redis.call('HMGET', key, '@ended', '@format', slot))
if reason then
  return reply('tombstone', reason)
end
if redis.call('EXISTS', key) == 1 then
  if format ~= '1' then
    return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
  end
  return reply(entry and string.sub(entry, 1, 22) == id and 'already' or 'exists')
end
if now > tonumber(deadline) then
  return reply('late')
end

-- A slot also says when it was written, so that whoever claims the session knows how far back the ring reaches.
local i = 8
while i < #ARGV and string.find(ARGV[i], '^@r%d+$') do
  ARGV[i + 1] = string.sub(ARGV[i + 1], 1, 22) .. ' ' .. now .. string.sub(ARGV[i + 1], 23)
  i = i + 2
end

-- Out of memory is refused at the first write only, so the first one must be HSET: then nothing is half-written.
redis.call('HSET', key, '@format', '1', '@owner', owner, '@silo', silo, '@epoch', '1', '@version', to)
for first = 8, #ARGV, 7000 do
  redis.call('HSET', key, unpack(ARGV, first, math.min(first + 6999, #ARGV)))
end
if lifetime ~= '' then
  redis.call('HSET', key, '@until', string.format('%.0f', now + tonumber(lifetime)))
end
if grace ~= '' then
  redis.call('HSET', key, '@grace', grace)
end
redis.call('PEXPIRE', key, grace == '' and keep or string.format('%.0f', keep + grace))
return reply('written')
