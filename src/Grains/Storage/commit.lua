-- Applies a flush: one or more deltas of the session's owner, all or nothing.
--
-- KEYS[1]   the session
-- ARGV[1]   owner: the nonce of the activation that owns it
-- ARGV[2]   from: the version that the flush is applied to
-- ARGV[3]   to: the version that it leads to
-- ARGV[4]   keep: ms until the session's time is over, '' leaves it as it is
-- ARGV[5]   clears: '1' removes every property that is not set here, '0' does not
-- ARGV[6]   sets: how many fields to set
-- ARGV[7..] fields to set: field, value, field, value ...; the first is the ring slot of the first delta, its value begins with the
--           request id
-- the rest  fields to remove
--
-- Reply: { outcome, key, request id, Redis time in ms }
--   written    applied
--   already    applied before
--   fenced     another owner has claimed it; then its name
--   behind     the stored version is lower than from: Redis lost data
--   ahead      the stored version is higher than from
--   missing    nothing is stored, or its time is over
--   tombstone  the session has ended; then the reason
local key, owner, from, to, keep, clears = KEYS[1], unpack(ARGV, 1, 5)
local sets, slot, id = tonumber(ARGV[6]), ARGV[7], string.sub(ARGV[8] or '', 1, 22)

if not (#ARGV >= 8 and owner ~= '' and string.find(from, '^%d+$') and string.find(to, '^[1-9]%d*$')
    and (keep == '' or string.find(keep, '^[1-9]%d*$') and #keep <= 15) and (clears == '0' or clears == '1')
    and string.find(ARGV[6], '^[1-9]%d*$') and 6 + 2 * sets <= #ARGV and string.find(slot, '^@r%d+$') and #id == 22) then
  return redis.error_reply('REFUSED commit.lua: wrong arguments; see its header')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function reply(outcome, ...)
  return { outcome, key, id, now, ... }
end

local reason, format, stored, name, version, grace, entry = unpack(
  redis.call('HMGET', key, '@ended', '@format', '@owner', '@silo', '@version', '@grace', slot))
if reason then
  return reply('tombstone', reason)
end
if not format and redis.call('EXISTS', key) == 0 or grace and redis.call('PTTL', key) <= tonumber(grace) then
  return reply('missing')
end
if format ~= '1' or not string.find(version or '', '^[1-9]%d*$') then
  return redis.error_reply("REFUSED the key holds format '" .. (format or 'none') .. "'; only a whole session in format '1' can be used")
end
-- Before the ring is asked: what another owner has stored of these calls, it has stored in a state that this one may not know.
if stored ~= owner then
  return reply('fenced', name)
end
-- All of it, not the first call alone: that one may have been stored before in another flush, without the others.
local i, already = 9, entry and string.sub(entry, 1, 22) == id
while already and i < #ARGV and string.find(ARGV[i], '^@r%d+$') do
  already = string.sub(redis.call('HMGET', key, ARGV[i])[1] or '', 1, 22) == string.sub(ARGV[i + 1], 1, 22)
  i = i + 2
end
if already then
  return reply('already')
end
if version ~= from then
  -- As text: a Lua number holds no more than 53 bits.
  local lower = #version < #from or #version == #from and version < from
  return reply(lower and 'behind' or 'ahead')
end

-- A slot also says when it was written, so that whoever claims the session knows how far back the ring reaches.
i = 7
while i < #ARGV and string.find(ARGV[i], '^@r%d+$') do
  ARGV[i + 1] = string.sub(ARGV[i + 1], 1, 22) .. ' ' .. now .. string.sub(ARGV[i + 1], 23)
  i = i + 2
end

-- Out of memory is refused at the first write only, so the first one must be HSET: then nothing is half-written. For the same reason
-- a clear deletes what is left over after the sets.
local last = 6 + 2 * sets
for first = 7, last, 7000 do
  redis.call('HSET', key, '@version', to, unpack(ARGV, first, math.min(first + 6999, last)))
end

local removed = {}
for i = last + 1, #ARGV do
  removed[#removed + 1] = ARGV[i]
end
if clears == '1' then
  local set = {}
  for i = 7, last, 2 do
    set[ARGV[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local meta = string.sub(field, 1, 1) == '@' and string.sub(field, 2, 2) ~= '@'
    if not meta and not set[field] then
      removed[#removed + 1] = field
    end
  end
end
for first = 1, #removed, 3500 do
  redis.call('HDEL', key, unpack(removed, first, math.min(first + 3499, #removed)))
end

if keep ~= '' then
  redis.call('PEXPIRE', key, grace and string.format('%.0f', keep + grace) or keep)
end
return reply('written')
