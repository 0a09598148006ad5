-- Makes somebody the session's owner and reads all of it: loading is claiming. Every earlier owner is fenced from now on.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of the activation that claims it. It owns the session as nonce, dot, epoch: a claim that comes in again, after
--           others, makes it no owner of what it had before
-- ARGV[2]   silo: its name
-- ARGV[3]   tombstone: ms to keep the tombstone, should the session be past its absolute end
--
-- Reply: { outcome, key, owner, Redis time in ms }
--   written    claimed; then ms until its time is over (-1: never), ms until its absolute end (-1: none), the previous owner's name, its
--              released mark ('1' or ''), the whole hash, and the previous owner's nonce. In the hash is @from: the names of those, four
--              at most and a line each, who had it since the last hand-over and may not know that they have it no more
--   already    the owner has it already, the epoch stays; then the same
--   missing    nothing is stored, or its time is over
--   tombstone  the session has ended; then the reason, and the names of those who may not know it, a line each, '' for nobody
--   expired    it is past its absolute end: a tombstone now; then the reason
local key, owner, silo, tombstone = KEYS[1], unpack(ARGV, 1, 3)

if not (#ARGV == 3 and owner ~= '' and string.find(tombstone, '^[1-9]%d*$') and #tombstone <= 15) then
  return redis.error_reply('REFUSED claim.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, owner, now, ... }
end

local reason, format, previous, name, released, epoch, ending, from, grace = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@released', '@epoch', '@until', '@from', '@grace'))
if reason then
  return reply('tombstone', reason, from or '')
end
local kept = redis.call('PTTL', key) - (tonumber(grace) or 0)
if not format and redis.call('EXISTS', key) == 0 or grace and kept <= 0 then
  return reply('missing')
end
if format ~= '1' or not string.find(epoch or '', '^%d+$') or #epoch > 18 or (ending and not tonumber(ending)) then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
end

local left = ending and tonumber(ending) - now or -1
if ending and left <= 0 and grace then
  -- Whoever tells of its end needs what is in it.
  return reply('missing')
end
if ending and left <= 0 then
  redis.call('UNLINK', key)
  redis.call('HSET', key, '@ended', 'lifetime')
  redis.call('PEXPIRE', key, tombstone)
  return reply('expired', 'lifetime')
end

local outcome = 'already'
if previous ~= owner and previous ~= owner .. '.' .. epoch then
  outcome = 'written'
  -- HDEL first: Redis out of memory refuses HSET as a script's first write, and reading a session must go on then.
  redis.call('HDEL', key, '@released', unpack(released and { '@from' } or {}))
  redis.call('HSET', key, '@silo', silo, '@owner', owner .. '.' .. string.format('%.0f', redis.call('HINCRBY', key, '@epoch', 1)))
  if not released and name and not string.find('\n' .. (from or '') .. '\n', '\n' .. name .. '\n', 1, true) then
    from = from and name .. '\n' .. from or name
    redis.call('HSET', key, '@from', string.match(from, '^[^\n]*\n?[^\n]*\n?[^\n]*\n?[^\n]*'))
  end
end
return reply(outcome, kept, left, name or '', released or '', redis.call('HGETALL', key), previous or '')
