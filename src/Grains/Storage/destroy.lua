-- Ends the session: everything is deleted and a tombstone written in its place. Without an owner it is accepted whoever owns the
-- session, and also where nothing is stored: a create may still be on its way. What a session with events held stays beside its tombstone
-- until its end has been told.
--
-- KEYS[1]   the session
-- ARGV[1]   id: what the reply repeats
-- ARGV[2]   reason: what the tombstone says, 'destroyed', 'idle', 'lifetime', 'revoked' or 'limit'
-- ARGV[3]   tombstone: ms to keep the tombstone
-- ARGV[4]   owner: only under this nonce; '' for always
-- ARGV[5]   over: '1' only where it has events and its own time is over, '0' always
--
-- Reply: { outcome, key, id, Redis time in ms }
--   written    ended; then the names of those, a line each, who had it since the last hand-over and may not know that it is over, '' for
--              nobody and where its time was; and whose session it was, '' for nobody's. Without an owner the names stay beside the
--              tombstone, as @from
--   already    without an owner: a tombstone is there; it keeps its reason and lives at least as long as asked; then the same names, ''
--   tombstone  with an owner: the session has ended before; then the reason
--   fenced     with an owner: another one has claimed it; then its name
--   missing    with an owner, or only where its time is over: nothing is stored
--   live       its time is not over
local key, id, reason, tombstone, owner, over = KEYS[1], unpack(ARGV, 1, 5)
local reasons = { destroyed = true, idle = true, lifetime = true, revoked = true, limit = true }
if not (#ARGV == 5 and id ~= '' and reasons[reason] and (over == '0' or over == '1')
    and string.find(tombstone, '^[1-9]%d*$') and #tombstone <= 15) then
  return redis.error_reply('REFUSED destroy.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, id, now, ... }
end

local ended, format, stored, name, released, from, grace, user = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@released', '@from', '@grace', '@user'))
if ended and owner ~= '' then
  return reply('tombstone', ended)
end
if ended then
  if redis.call('PTTL', key) < tonumber(tombstone) then
    redis.call('PEXPIRE', key, tombstone)
  end
  return reply('already', from or '', '')
end
if redis.call('EXISTS', key) == 0 then
  if owner ~= '' or over == '1' then
    return reply('missing')
  end
elseif format ~= '1' then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
elseif owner ~= '' and stored ~= owner then
  return reply('fenced', name)
end
if over == '1' and not (grace and redis.call('PTTL', key) <= tonumber(grace)) then
  return reply('live')
end

from = over == '0' and not released and from or ''
if owner == '' and over == '0' and not released and name and not string.find('\n' .. from .. '\n', '\n' .. name .. '\n', 1, true) then
  from = from == '' and name or name .. '\n' .. from
end
-- Who ends it without having it may not live to tell them, or not hear that it is to.
local fields = { '@ended', reason }
if owner == '' and from ~= '' then
  fields = { '@ended', reason, '@from', from }
end

if grace then
  local kept = { ['@grace'] = true, ['@told'] = true, ['@generation'] = true, ['@user'] = true }
  local removed = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 1) == '@' and string.sub(field, 2, 2) ~= '@' and not kept[field] then
      removed[#removed + 1] = field
    end
  end
  -- HDEL first, for the reason that UNLINK is below.
  redis.call('HDEL', key, unpack(removed))
  redis.call('HSET', key, unpack(fields))
  if redis.call('PTTL', key) < tonumber(tombstone) then
    redis.call('PEXPIRE', key, tombstone)
  end
  return reply('written', from, user or '')
end

-- UNLINK first, also where there is nothing: Redis out of memory refuses HSET as a script's first write, and a log-out must win.
redis.call('UNLINK', key)
redis.call('HSET', key, unpack(fields))
redis.call('PEXPIRE', key, tombstone)
return reply('written', from, user or '')
