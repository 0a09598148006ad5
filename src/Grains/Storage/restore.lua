-- Writes back a session that the store has lost, or of which it has an older state, as its owner has it in memory. Refused where anybody
-- else may have done anything with it since.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of its owner
-- ARGV[2]   silo: the owner's name
-- ARGV[3]   deadline: the Redis time in ms up to which this is accepted
-- ARGV[4]   predecessor: the nonce of whom the owner claimed it from, '' for nobody
-- ARGV[5]   claimed: the version at which it did
-- ARGV[6]   version: its version
-- ARGV[7]   epoch: number of its owners so far
-- ARGV[8]   keep: ms until its time is over, and Redis drops it
-- ARGV[9]   lifetime: ms until its absolute end, '' for none
-- ARGV[10]  grace: ms by which Redis drops it later, so that its end can be told; '' where it has no events
-- ARGV[11]  told: how many of its events have been told
-- ARGV[12]  slots: how many slots of the ring
-- ARGV[13..] slots: field, request id and result, age in ms, ...
-- the rest  all other fields: field, value, field, value ...
--
-- Reply: { outcome, key, owner, Redis time in ms }
--   written    it is stored: nothing was, or an older state of the same owner, or of its predecessor before the claim; then the names of
--              those, four at most, a line each, who had it since the last hand-over and may not know that they have it no more, '' for
--              nobody; and ''
--   already    it is stored as it is, and is kept as long as asked; then the same names, and ''
--   ahead      the owner has stored a higher version since; it is kept as long as asked
--   fenced     somebody else owns it, or did in between; then its name
--   tombstone  the session has ended; then the reason
--   late       the deadline is over
local key, owner, silo, deadline, predecessor, claimed, version, epoch, keep, lifetime, grace, told =
  KEYS[1], unpack(ARGV, 1, 11)
local slots = tonumber(ARGV[12])

local function number(text)
  return text and string.find(text, '^[1-9]%d*$') and #text <= 15
end

if not (#ARGV >= 12 and owner ~= '' and number(deadline) and string.find(claimed, '^%d+$') and string.find(version, '^[1-9]%d*$')
    and number(epoch) and number(keep) and (lifetime == '' or number(lifetime)) and (grace == '' or number(grace))
    and string.find(told, '^%d+$') and number(ARGV[12]) and 12 + 3 * slots <= #ARGV and (#ARGV - 12 - 3 * slots) % 2 == 0) then
  return redis.error_reply('REFUSED restore.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, owner, now, ... }
end

local function keeps(more)
  redis.call('PEXPIRE', key, tonumber(more or '') and string.format('%.0f', keep + more) or keep)
end

-- As text: a Lua number holds no more than 53 bits.
local function lower(a, b)
  return #a < #b or #a == #b and a < b
end

local reason, format, stored, name, has, more, from, released = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@version', '@grace', '@from', '@released'))
if reason then
  return reply('tombstone', reason)
end
if format or redis.call('EXISTS', key) == 1 then
  if format ~= '1' or not string.find(has or '', '^[1-9]%d*$') then
    return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
  end
  if stored == owner and has == version then
    keeps(more)
    return reply('already', from or '', '')
  end
  if stored == owner and lower(version, has) then
    keeps(more)
    return reply('ahead')
  end
  if stored ~= owner and (stored ~= predecessor or lower(claimed, has)) then
    return reply('fenced', name)
  end
end
if now > tonumber(deadline) then
  return reply('late')
end

-- Its predecessor may have it in memory still, and not know of the claim that the store has forgotten.
from = not released and from or ''
if stored and stored ~= owner and not released and not string.find('\n' .. from .. '\n', '\n' .. name .. '\n', 1, true) then
  from = string.match(from == '' and name or name .. '\n' .. from, '^[^\n]*\n?[^\n]*\n?[^\n]*\n?[^\n]*')
end

local fields = { '@format', '1', '@owner', owner, '@silo', silo, '@epoch', epoch, '@version', version }
if lifetime ~= '' then
  fields[#fields + 1] = '@until'
  fields[#fields + 1] = string.format('%.0f', now + tonumber(lifetime))
end
if grace ~= '' then
  for _, part in ipairs({ '@grace', grace, '@told', told }) do
    fields[#fields + 1] = part
  end
end
if from ~= '' then
  fields[#fields + 1] = '@from'
  fields[#fields + 1] = from
end
for i = 13, 12 + 3 * slots, 3 do
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = string.sub(ARGV[i + 1], 1, 22) .. ' ' .. string.format('%.0f', math.max(0, now - tonumber(ARGV[i + 2])))
    .. string.sub(ARGV[i + 1], 23)
end
for i = 13 + 3 * slots, #ARGV do
  fields[#fields + 1] = ARGV[i]
end

-- Out of memory is refused at the first write only, so the first one must be HSET: then nothing is half-written. For the same reason
-- what is left of the older state goes after that.
local set = {}
for i = 1, #fields, 2 do
  set[fields[i]] = true
end
for first = 1, #fields, 7000 do
  redis.call('HSET', key, unpack(fields, first, math.min(first + 6999, #fields)))
end
local removed = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  if not set[field] then
    removed[#removed + 1] = field
  end
end
for first = 1, #removed, 3500 do
  redis.call('HDEL', key, unpack(removed, first, math.min(first + 3499, #removed)))
end
keeps(grace)
return reply('written', from, '')
